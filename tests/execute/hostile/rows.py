"""All that is tried; the table in `docs/design/isolation.md` is made from these rows."""

from tests.execute.hostile.resources import RESOURCES
from tests.execute.hostile.row import ALL, ISOLATED, NAMESPACES, Row

ROWS = (
    *RESOURCES,
    Row(
        "variables of the environment",
        ALL,
        "import os\nprint('TRIED', 'BROKE' if 'hunter2' in str(os.environ) else '')",
    ),
    Row(
        "passwords, keys and homes",
        ISOLATED,
        """
import os
print("TRIED")
for path in ("/etc/shadow", "/etc/passwd", "/root", "/home", "/var", "/sys", "/run", "@SECRET@", "@HOME@", "@TESTS@"):
    try:
        os.listdir(path) if os.path.isdir(path) else open(path).read()
        print("BROKE", path)
    except OSError:
        pass
""",
    ),
    Row(
        "the files of another box",
        ISOLATED,
        """
import os
print("TRIED")
for path in ("@OTHER@", "@OTHER@/main", "@TMP@"):
    try:
        os.listdir(path) if os.path.isdir(path) else open(path).read()
        print("BROKE", path)
    except OSError:
        pass
""",
    ),
    Row(
        "writing outside its folders",
        ISOLATED,
        """
import os, tempfile
print("TRIED")
own = tempfile.gettempdir(), os.getcwd()
for folder in ("/", "/usr", "/usr/bin", "/etc", "/box", "/var/tmp", "@PUBLIC@", "@TMP@"):
    try:
        open(os.path.join(folder, "@MARKER@"), "w").close()
        print("BROKE", folder)
    except OSError:
        pass
try:
    os.truncate("@PUBLIC@/file", 0)
    print("BROKE truncate")
except OSError:
    pass
""",
    ),
    Row(
        "changing its own code between compiling and running",
        ISOLATED,
        "print('TRIED')\ntry:\n    open(__file__, 'a').write('#')\n    print('BROKE')\nexcept OSError:\n    pass",
    ),
    Row(
        "TCP to a server on this machine",
        ISOLATED,
        """
import socket
print("TRIED")
try:
    socket.create_connection(("127.0.0.1", @TCP@), timeout=2)
    print("BROKE")
except OSError:
    pass
""",
    ),
    Row(
        "UDP to a server on this machine",  # whether something came is asked of the server
        ISOLATED,
        """
import socket
print("TRIED")
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"@MARKER@", ("127.0.0.1", @UDP@))
except OSError:
    pass
""",
    ),
    Row(
        "an abstract socket of another process",
        ISOLATED,
        """
import socket
print("TRIED")
try:
    socket.socket(socket.AF_UNIX).connect("\\0@MARKER@")
    print("BROKE")
except OSError:
    pass
""",
    ),
    Row(
        "a socket file of another process",
        ISOLATED,
        """
import socket
print("TRIED")
try:
    socket.socket(socket.AF_UNIX).connect("@PUBLIC@/socket")
    print("BROKE")
except OSError:
    pass
""",
    ),
    Row(
        "signals to other processes",
        ISOLATED,
        """
import os, signal
print("TRIED", flush=True)
for pid in (@VICTIM@, @SUPERVISOR@, os.getppid()):
    for number in (0, signal.SIGSTOP):
        try:
            if pid > 1:
                os.kill(pid, number)
                print("BROKE", pid, number)
        except OSError:
            pass
try:
    os.kill(-1, signal.SIGCONT)
except OSError:
    pass
""",
    ),
    Row(
        "a signal to everything that it may signal",
        ISOLATED,
        "import os, signal\nprint('TRIED', flush=True)\nos.kill(-1, signal.SIGKILL)",
    ),
    Row(
        "command lines and environments of other processes",
        ISOLATED,
        """
import os
print("TRIED")
for pid in (@VICTIM@, @SUPERVISOR@, os.getppid(), 1):
    for name in ("cmdline", "environ", "maps", "mem", "fd/0", "cwd/."):
        try:
            text = open(f"/proc/{pid}/{name}", "rb").read(4096)
            if b"hunter2" in text or b"@MARKER@" in text or b"pytest" in text:
                print("BROKE", pid, name)
        except OSError:
            pass
""",
    ),
    Row(
        "limits of other processes",
        ISOLATED,
        """
import resource
print("TRIED")
for pid in (@VICTIM@, @SUPERVISOR@):
    try:
        resource.prlimit(pid, resource.RLIMIT_CORE)
        print("BROKE", pid)
    except OSError:
        pass
""",
    ),
    Row(
        "the clock and the name of the machine",
        ALL,
        """
import socket, time
print("TRIED")
for change in (lambda: time.clock_settime(time.CLOCK_REALTIME, 0), lambda: socket.sethostname("@MARKER@")):
    try:
        change()
        print("BROKE")
    except OSError:
        pass
""",
    ),
    Row(
        "system calls that break-outs start from",
        ISOLATED,
        """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print("TRIED")
for name, number, *arguments in @CALLS@:
    ctypes.set_errno(0)
    libc.syscall(ctypes.c_long(number), *map(ctypes.c_ulong, arguments))
    if ctypes.get_errno() not in (1, 38):
        print("BROKE", name, ctypes.get_errno())
""",
    ),
    Row(
        "queues and shared memory that stay behind",
        ISOLATED,
        """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print("TRIED")
if libc.shmget(0x636f6465, 4096, 0o1666) >= 0 or libc.msgget(0x636f6465, 0o1666) >= 0:
    print("BROKE")
if libc.semget(0x636f6465, 1, 0o1666) >= 0:
    print("BROKE")
""",
    ),
    Row(
        "attributes that stay on a folder",
        ISOLATED,
        """
import fcntl, os, struct
print("TRIED")
for folder in ("/box", "@PUBLIC@", os.getcwd()):
    for request, value in ((0x40086602, struct.pack("l", 0xC8)), (0x401C5820, bytes(28))):
        try:
            fcntl.ioctl(os.open(folder, os.O_RDONLY), request, value)
            print("BROKE", folder)
        except OSError:
            pass
""",
    ),
    Row(
        "seeing which processes there are",
        NAMESPACES,
        "import os\nprint('TRIED', 'BROKE' if os.path.exists('/proc/@SUPERVISOR@') else '')",
    ),
    Row(
        "seeing the mounts and the sockets of the machine",
        NAMESPACES,
        """
import os
print("TRIED")
if "@MARKER@" in open("/proc/self/net/unix").read() or "cgroup" in open("/proc/self/mounts").read():
    print("BROKE")
""",
    ),
)
