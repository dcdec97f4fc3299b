import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from codeglot.errors import SandboxError
from codeglot.execute.cgroups import Cgroups
from codeglot.execute.fork_server import client
from codeglot.execute.fork_server.client import ForkServers
from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.execute.levels.userns import Userns
from codeglot.execute.processes import children
from codeglot.execute.step import Box, Outcome, Step, Stop
from codeglot.records import Limits


@pytest.fixture(scope="module")
def ground() -> Iterator[Bubblewrap]:
    ground = Bubblewrap()
    yield ground
    ground.close()


@pytest.fixture
def servers(ground: Bubblewrap) -> Iterator[ForkServers]:
    servers = ForkServers(ground)
    yield servers
    servers.close()


def run(servers: ForkServers, *command: str, is_writable: bool = False, forks: bool = False) -> Outcome:
    with servers.open_box() as box:
        box.put({"main.py": command[-1]})
        return box.run(Step(command=command, limits=Limits(wall_s=20), is_writable=is_writable, forks=forks))


def python(servers: ForkServers, source: str) -> str:
    outcome = run(servers, "python3", "-c", source)
    assert outcome.status == 0, outcome
    return outcome.stdout.decode()


def server_pid(servers: ForkServers) -> int:
    with servers.open_box() as box:
        return server_of(box)


def server_of(box: Box) -> int:
    (server,) = box._servers.values()  # type: ignore[attr-defined]
    pid: int = server._pid
    return pid


LEAVE = """
import os, socket, time
if os.fork() == 0:
    os.setsid()
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind("\\0left")
    abstract.listen()
    time.sleep(60)
for folder in ("/tmp", "/dev/shm", "/work"):
    open(folder + "/left", "w").close()
server = socket.create_server(("127.0.0.1", 8765), reuse_port=False)
near = socket.create_connection(("127.0.0.1", 8765))
far, _ = server.accept()
far.close()  # the side that closes first keeps the port for a minute
near.close()
server.close()
time.sleep(0.2)
"""
LOOK = """
import os, socket
print([name for name in os.listdir("/proc") if name.isdigit()])
print([os.listdir(folder) for folder in ("/tmp", "/dev/shm", "/work")])
print(socket.socket(socket.AF_UNIX).connect_ex("\\0left") != 0)
plain = socket.socket()
plain.bind(("127.0.0.1", 8765))
plain.listen()
print(socket.create_connection(("127.0.0.1", 8765)).getpeername())
"""


def test_nothing_of_a_program_is_left_for_the_next_one_of_the_same_server(servers: ForkServers) -> None:
    assert python(servers, LEAVE) == ""
    first = server_pid(servers)
    expected = ["['1', '2']", "[[], [], []]", "True", "('127.0.0.1', 8765)"]
    assert python(servers, LOOK).splitlines() == expected
    assert server_pid(servers) == first


def test_the_folder_is_as_new_after_a_step_that_could_write(servers: ForkServers) -> None:
    spoil = "mkdir -p /box/a/b; ln -s / /box/root; chmod 0 /box/a; setfattr -n user.left -v x /box; chmod 0 /box"
    assert run(servers, "sh", "-c", spoil, is_writable=True).status is not None
    with servers.open_box() as box:
        assert list(box.folder.iterdir()) == []
        assert box.folder.stat().st_mode & 0o777 == 0o700
        assert os.listxattr(box.folder) == []


def test_the_server_is_out_of_reach(servers: ForkServers) -> None:
    source = """
import os
for path in ("environ", "mem", "fd", "root", "cwd", "maps"):
    try:
        open(f"/proc/1/{path}", "rb").read() if path in ("environ", "mem", "maps") else os.listdir(f"/proc/1/{path}")
        print("opened", path)
    except PermissionError:
        pass
os.kill(1, 9)
print(os.path.exists(os.path.join(os.getcwd(), "sitecustomize.py")), os.listdir("/proc/self/fd"))
"""
    assert python(servers, source) == "False ['0', '1', '2', '3']\n"


def test_a_program_can_lay_nothing_on_the_server(servers: ForkServers) -> None:
    source = """
import ctypes, os, resource, signal, sys
IOPRIO_SET = {"x86_64": 251, "aarch64": 30}[os.uname().machine]

def ioprio_set(kind, who):
    if ctypes.CDLL(None, use_errno=True).syscall(IOPRIO_SET, kind, who, 3 << 13) < 0:
        raise OSError(ctypes.get_errno(), "ioprio_set")

for attack in (
    lambda: resource.prlimit(1, resource.RLIMIT_CPU, (0, 0)),
    lambda: os.sched_setaffinity(1, {0}),
    lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0)),
    lambda: os.sched_setparam(1, os.sched_param(0)),
    lambda: os.setpriority(os.PRIO_PROCESS, 1, 19),
    lambda: os.setpriority(os.PRIO_PGRP, 0, 19),
    lambda: os.setpriority(os.PRIO_USER, 0, 19),
    lambda: ioprio_set(1, 1),
    lambda: ioprio_set(2, 0),
    lambda: ioprio_set(3, os.getuid()),
):
    try:
        attack()
        print("worked")
    except PermissionError:
        pass
os.setpriority(os.PRIO_PROCESS, 0, os.nice(0) + 1)
os.sched_setaffinity(0, os.sched_getaffinity(0))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
for number in signal.valid_signals():
    os.kill(1, number)
    os.kill(0, number) if number == signal.SIGCHLD else None
print("done")
"""
    assert python(servers, source) == "done\n"
    server = server_pid(servers)
    assert python(servers, "import os\nprint(os.nice(0), os.getpid())") == f"{os.nice(0)} 2\n"
    assert server_pid(servers) == server


def test_a_share_of_the_processor_that_a_program_lowers_is_not_the_next_one_s(servers: ForkServers) -> None:
    if not Path("/proc/self/autogroup").exists():
        pytest.skip("this kernel does not share the processor by sessions (CONFIG_SCHED_AUTOGROUP)")
    look = 'print(open("/proc/self/autogroup").read().split()[-1])'
    assert python(servers, look) == "0\n"
    first = server_pid(servers)
    assert python(servers, 'open("/proc/self/autogroup", "w").write("19")\n' + look) == "19\n"
    assert python(servers, look) == "0\n"
    assert server_pid(servers) != first


def test_nothing_that_outlives_its_program_can_be_made(servers: ForkServers) -> None:
    source = """
import ctypes, errno, os, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
print(libc.mq_open(b"/left", os.O_CREAT | os.O_RDWR, 0o600, None), errno.errorcode[ctypes.get_errno()])
label = socket.inet_pton(socket.AF_INET6, "::1") + struct.pack(">IBBHHHI", 0x12345, 0, 1, 1, 60, 60, 0)
try:
    socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).setsockopt(41, 32, label)
except OSError as error:
    print(errno.errorcode[error.errno])
"""
    assert python(servers, source) == "-1 EPERM\nEPERM\n"


CHANGE = """
import fcntl, os, struct
changes = {
    "mode": lambda: os.chmod("/dev/pts/ptmx", 0),
    "times": lambda: [os.utime("/dev/" + name, (1, 1)) for name in ("pts", "full", "null")],
    "setting": lambda: open("/proc/sys/kernel/shmmax", "wb", 0).write(b"424242"),
    "queues": lambda: open("/proc/sys/fs/mqueue/msg_max", "wb", 0).write(b"11"),
    "flags": lambda: fcntl.ioctl(os.open("/box", os.O_RDONLY), 0x40086602, struct.pack("l", 0xC8)),
}
for name, change in changes.items():
    try:
        change()
        print("changed", name)
    except OSError:
        pass
near, far = os.openpty()
os.write(far, b"x")
open("/dev/null", "w").write("x")
print(os.read(near, 1), len(open("/dev/urandom", "rb").read(3)))
"""


@pytest.mark.parametrize("level", [Bubblewrap, Userns])
def test_nothing_that_stays_in_a_server_can_be_changed(level: Callable[[], Bubblewrap]) -> None:
    ground = level()
    servers = ForkServers(ground)
    try:
        for is_writable in (False, True):
            outcome = run(servers, "python3", "-c", CHANGE, is_writable=is_writable)
            assert (outcome.stdout, outcome.stderr) == (b"b'x' 3\n", b"")
    finally:
        servers.close()
        ground.close()


def test_what_orphans_used_counts_while_the_program_runs() -> None:
    """A process that nobody waits for is reaped by the server, which lives on with all that it ever reaped."""
    ground = Bubblewrap(find_groups=lambda: Cgroups([]))  # a group would know
    servers = ForkServers(ground)
    burn = """
import os, sys, time
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        if os.fork() == 0:
            while time.process_time() < 0.3:
                pass
        os._exit(0)
    os.wait()
    time.sleep(0.35)
time.sleep(float(sys.argv[2]))
"""

    def spend(count: int, rest_s: float, cpu_s: float) -> Outcome:
        with servers.open_box() as box:
            command = ("python3", "-c", burn, str(count), str(rest_s))
            return box.run(Step(command=command, limits=Limits(cpu_s=cpu_s, wall_s=8)))

    assert spend(3, 0, cpu_s=5).status == 0
    stopped = spend(3, 7, cpu_s=0.6)
    assert stopped.stop is Stop.CPU
    assert stopped.wall_s < 4
    assert spend(0, 0, cpu_s=0.6).status == 0
    servers.close()
    ground.close()


def test_a_program_that_the_machine_kills_is_the_end_of_nothing_else(servers: ForkServers) -> None:
    assert run(servers, "true").status == 0
    server = server_pid(servers)
    with ThreadPoolExecutor(1) as executor:
        running = executor.submit(run, servers, "sleep", "30")
        while not children(server):
            time.sleep(0.01)
        os.kill(children(server)[0], signal.SIGKILL)
        assert running.result().status == 128 + signal.SIGKILL
    assert run(servers, "true").status == 0
    assert server_pid(servers) == server


def test_a_dead_server_is_the_fault_of_the_sandbox_and_is_replaced(servers: ForkServers) -> None:
    with servers.open_box() as box:
        step = Step(command=("sleep", "30"), limits=Limits(wall_s=40))
        with ThreadPoolExecutor(1) as executor:
            assert box.run(Step(command=("true",), limits=Limits())).status == 0
            first = server_of(box)
            running = executor.submit(box.run, step)
            while not children(first):
                time.sleep(0.01)
            os.kill(first, signal.SIGKILL)
            with pytest.raises(SandboxError, match="fork server ended while a program ran"):
                running.result()
        assert box.run(Step(command=("true",), limits=Limits())).status == 0
        second = server_of(box)
        os.kill(second, signal.SIGKILL)
        while Path(f"/proc/{second}").exists():
            pass
        assert box.run(Step(command=("true",), limits=Limits())).status == 0
    assert len({first, second, server_pid(servers)}) == 3


def test_a_server_is_replaced_after_a_number_of_steps(servers: ForkServers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "NUM_STEPS", 2)
    pids = []
    for _ in range(4):
        assert run(servers, "true").status == 0
        pids.append(server_pid(servers))
    assert len(set(pids)) == 2
    assert pids == sorted(pids)


def test_a_server_that_cannot_start_says_why(servers: ForkServers) -> None:
    with pytest.raises(SandboxError, match=r"(?s)fork server did not start.*no-such-interpreter"):
        run(servers, "no-such-interpreter", "/box/main.py", forks=True)


def test_a_command_that_is_not_there_is_the_fault_of_the_program(servers: ForkServers) -> None:
    outcome = run(servers, "no-such-command")
    assert outcome.status == 127
    assert b"no-such-command" in outcome.stderr


@pytest.mark.parametrize("name", ["servers", "ground"])
def test_a_script_that_names_no_interpreter_is_one_of_the_shell(name: str, request: pytest.FixtureRequest) -> None:
    with request.getfixturevalue(name).open_box() as box:
        make = Step(command=("sh", "-c", "echo 'echo $0 $1' > /box/x; chmod +x /box/x"), limits=Limits())
        assert box.run(replace(make, is_writable=True)).status == 0
        outcome = box.run(Step(command=("/box/x", "told"), limits=Limits()))
    assert (outcome.status, outcome.stdout) == (0, b"/box/x told\n")


def test_many_boxes_at_a_time_share_nothing_and_are_used_again(servers: ForkServers) -> None:
    def users(_: int) -> str:
        return python(servers, "import os, time\ntime.sleep(0.3)\nprint(os.getuid())")

    with ThreadPoolExecutor(4) as executor:
        assert len(set(executor.map(users, range(4)))) == (4 if os.geteuid() == 0 else 1)
        list(executor.map(users, range(4)))
    assert len(servers._free) == 4


def test_what_a_closed_level_kept_is_gone(ground: Bubblewrap) -> None:
    servers = ForkServers(ground)
    run(servers, "true")
    pid, (slot,) = server_pid(servers), servers._free
    servers.close()
    assert not Path(f"/proc/{pid}").exists()
    assert not slot.folder.exists()
    with pytest.raises(SandboxError, match="closed"):
        run(servers, "true")


@pytest.mark.slow
def test_1000_boxes_back_to_back_all_start_and_take_no_memory(servers: ForkServers) -> None:
    def rss_kib() -> int:
        return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0])

    with ThreadPoolExecutor(2) as executor:
        assert {o.status for o in executor.map(lambda _: run(servers, "true"), range(200))} == {0}
        before = rss_kib()
        assert {o.status for o in executor.map(lambda _: run(servers, "true"), range(1000))} == {0}
    assert rss_kib() - before < 2048
