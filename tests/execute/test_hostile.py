"""Programs that mean harm; each is bounded, so that even without a sandbox it would do little."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from codeglot.records import Execution, Verdict
from tests.execute.conftest import every_way
from tests.execute.programs import FORK_BOMB, GENERATIONS, HOG, HOGS, SHARED_HOG, SPREAD

RunPython = Callable[..., Execution]

pytestmark = every_way


def test_a_fork_bomb_is_stopped_by_the_limit_on_tasks(run_python: RunPython) -> None:
    execution = run_python(FORK_BOMB, num_tasks=64)
    count, error = map(int, execution.stdout.removeprefix("TRIED").split())
    assert count < 64
    assert error == 11  # EAGAIN


def test_a_memory_hog_is_stopped(run_python: RunPython) -> None:
    execution = run_python(HOG)
    assert execution.verdict == Verdict.MEMORY
    assert execution.memory_mib < 600


def test_many_processes_together_cannot_hold_what_one_may_not(run_python: RunPython) -> None:
    assert run_python(HOGS, memory_mib=96).verdict == Verdict.MEMORY


def test_shared_memory_counts_although_no_resource_limit_covers_it(run_python: RunPython) -> None:
    assert run_python(SHARED_HOG, memory_mib=128).verdict == Verdict.MEMORY


def test_a_server_on_the_host_cannot_be_reached(run_python: RunPython) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        source = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=2)\nprint('connected')"
        execution = run_python(source)
    assert execution.verdict == Verdict.RUNTIME_ERROR
    assert "ConnectionRefusedError" in execution.stderr
    assert not execution.stdout


def test_an_abstract_unix_socket_of_the_host_cannot_be_reached(run_python: RunPython) -> None:
    name = f"\0codeglot-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        source = f"import socket\nsocket.socket(socket.AF_UNIX).connect({name!r})\nprint('connected')"
        execution = run_python(source)
    assert "ConnectionRefusedError" in execution.stderr
    assert not execution.stdout


def test_passwords_and_homes_are_not_there(run_python: RunPython) -> None:
    home = Path.home()
    source = f"""
import os
for path in ("/etc/shadow", "/etc/passwd", "/root", "/home", {str(home)!r}, {str(Path(__file__))!r}, "/var", "/sys"):
    print(os.path.exists(path), path)
"""
    execution = run_python(source)
    assert "True" not in execution.stdout
    assert execution.stdout.count("False") == 8


def test_nothing_can_be_written_outside_the_private_disks(run_python: RunPython) -> None:
    name = f"codeglot-test-{os.getpid()}"
    source = f"""
import os
for folder in ("/", "/usr", "/usr/bin", "/etc", "/dev", "/proc", "/box", "/tmp", "/dev/shm", "/work", "/var/tmp"):
    try:
        open(os.path.join(folder, {name!r}), "w").close()
        print(folder)
    except OSError:
        pass
"""
    assert run_python(source).stdout.split() == ["/tmp", "/dev/shm", "/work"]
    assert not [folder for folder in ("/tmp", "/dev/shm", "/work", "/usr") if Path(folder, name).exists()]


def test_a_big_file_cannot_be_written(run_python: RunPython) -> None:
    source = "with open('/tmp/big', 'wb') as file:\n    for _ in range(256):\n        file.write(bytes(1 << 20))"
    execution = run_python(source, file_mib=4)
    assert execution.verdict == Verdict.RESOURCE_DENIED
    assert "File too large" in execution.detail


@pytest.mark.parametrize("folder", ["/tmp", "/work", "/dev/shm"])
def test_many_files_cannot_fill_a_disk(run_python: RunPython, folder: str) -> None:
    source = f"""
import os
written = 0
try:
    for number in range(64):
        with open({folder!r} + f"/{{number}}", "wb", buffering=0) as file:
            written += file.write(bytes(1 << 20))
finally:
    print(written >> 20)
"""
    execution = run_python(source, disk_mib=8)
    assert execution.verdict == Verdict.RESOURCE_DENIED
    assert int(execution.stdout) <= 8


def test_files_without_content_cannot_fill_the_memory_of_the_kernel(run_python: RunPython) -> None:
    source = "import os\nfor number in range(10**6):\n    os.close(os.open(f'/tmp/{number}', os.O_CREAT))"
    execution = run_python(source, cpu_s=20)
    assert execution.verdict == Verdict.RESOURCE_DENIED
    assert execution.cpu_s < 5


def test_endless_output_is_stopped_and_little_of_it_is_kept(run_python: RunPython) -> None:
    execution = run_python("while True:\n    print('x' * 10000)", output_kib=256)
    assert execution.verdict == Verdict.OUTPUT_LIMIT
    assert len(execution.stdout) < 70_000


def test_a_program_that_ignores_every_signal_ends_at_the_wall_limit(run_python: RunPython) -> None:
    source = """
import signal, time
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
while True:
    time.sleep(1)
"""
    execution = run_python(source, cpu_s=0.5, wall_s=0.5)
    assert execution.verdict == Verdict.TIMEOUT_WALL
    assert execution.wall_s < 2


def test_a_daemon_dies_with_its_box(run_python: RunPython) -> None:
    marker = f"codeglot-daemon-{os.getpid()}"
    source = f"""
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)", {marker!r}])
    os._exit(0)
time.sleep(0.3)
print("left a daemon")
"""
    execution = run_python(source)
    assert execution.stdout == "left a daemon\n"
    assert execution.verdict == Verdict.PASS
    assert not _processes_with(marker)


def test_cpu_time_of_all_processes_together_is_limited(run_python: RunPython) -> None:
    execution = run_python(SPREAD, cpu_s=0.5)
    assert execution.verdict == Verdict.TIMEOUT_CPU
    assert execution.cpu_s < 1.5


def test_cpu_time_of_children_that_have_ended_counts(run_python: RunPython) -> None:
    assert run_python(GENERATIONS, cpu_s=0.5).verdict == Verdict.TIMEOUT_CPU


def test_a_program_sees_and_signals_only_itself(run_python: RunPython) -> None:
    source = f"""
import os
print([name for name in os.listdir("/proc") if name.isdigit()])
try:
    os.kill({os.getpid()}, 0)
except ProcessLookupError:
    print("not there")
"""
    shown, signalled = run_python(source).stdout.splitlines()
    assert len(eval(shown)) == 2  # its own, and the first process of the box
    assert signalled == "not there"


SYSTEM_CALLS = {
    "ptrace": (101, 117, "0, 0, 0, 0"),
    "mount": (165, 40, "0, 0, 0, 0, 0"),
    "unshare with a user namespace": (272, 97, "0x10000000"),
    "clone with a user namespace": (56, 220, "0x10000000 | 17, 0, 0, 0, 0"),
    "setns": (308, 268, "0, 0"),
    "bpf": (321, 280, "0, 0, 0"),
    "io_uring_setup": (425, 425, "1, 0"),
    "keyctl": (250, 219, "0, 0, 0, 0, 0"),
    "perf_event_open": (298, 241, "0, 0, 0, 0, 0"),
    "userfaultfd": (323, 282, "0"),
    "process_vm_readv": (310, 270, "0, 0, 0, 0, 0, 0"),
    "memfd_create": (319, 279, "0, 0"),
    "a vsock socket": (41, 198, "40, 1, 0"),
    "a netlink socket": (41, 198, "16, 3, 0"),
    "a packet socket": (41, 198, "17, 3, 0"),
    "a vsock socket with noise above the family": (41, 198, "40 | 1 << 32, 1, 0"),
    "typing into the terminal": (16, 29, "0, 0x5412, 0"),
    "typing into the terminal with noise above the request": (16, 29, "0, 0x5412 | 1 << 32, 0"),
}


@pytest.mark.parametrize("name", SYSTEM_CALLS)
def test_system_calls_that_break_outs_start_from_are_denied(run_python: RunPython, name: str) -> None:
    on_x86, on_arm, arguments = SYSTEM_CALLS[name]
    number = on_x86 if os.uname().machine == "x86_64" else on_arm
    source = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
arguments = [ctypes.c_ulong(argument) for argument in ({arguments},)]
print(libc.syscall(ctypes.c_long({number}), *arguments), ctypes.get_errno())
"""
    assert run_python(source).stdout == "-1 1\n"  # EPERM


def test_clone3_looks_as_if_the_kernel_had_none(run_python: RunPython) -> None:
    source = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(435, 0, 0), ctypes.get_errno())
"""
    assert run_python(source).stdout == "-1 38\n"  # ENOSYS, after which libraries use clone


def _processes_with(marker: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in path.read_bytes() and int(path.parent.name) != os.getpid():
                found.append(path.parent.name)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
