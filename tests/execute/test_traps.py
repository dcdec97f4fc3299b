"""What commonly goes wrong in sandboxes, one test each."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from codeglot.errors import ToolchainError
from codeglot.execute.cold import ColdSandbox
from codeglot.execute.fork_server.client import ForkServers
from codeglot.execute.prepare import prepared_folder
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.step import Level, Step
from codeglot.languages import spec
from codeglot.languages.spec import Language, Prepare
from codeglot.records import Execution, Limits, Verdict
from tests.execute.conftest import every_way

RunPython = Callable[..., Execution]

pytestmark = every_way


def test_boxes_at_the_same_time_do_not_take_tasks_from_each_other(level: Level) -> None:
    """Eight boxes of 8 tasks each, all alive at once, each with a limit of 10."""
    source = """
import os, time
for _ in range(7):
    if os.fork() == 0:
        time.sleep(1)
        os._exit(0)
time.sleep(1)
"""
    step = Step(command=("python3", "-c", source), limits=Limits(num_tasks=10))

    def run(_: int) -> int | None:
        with level.open_box() as box:
            return box.run(step).status

    with ThreadPoolExecutor(8) as executor:
        assert list(executor.map(run, range(8))) == [0] * 8


def test_200_boxes_back_to_back_all_start(level: Level) -> None:
    step = Step(command=("true",), limits=Limits(num_tasks=8, memory_mib=32))

    def run(_: int) -> int | None:
        with level.open_box() as box:
            return box.run(step).status

    with ThreadPoolExecutor(2) as executor:
        assert list(executor.map(run, range(200))) == [0] * 200


def test_no_zombie_and_no_descriptor_is_left(level: Level) -> None:
    orphans = set(_zombies())  # of supervisors that other tests killed: this process adopts them
    with level.open_box() as box:
        box.run(Step(command=("true",), limits=Limits()))  # what is kept ready is there from now on
    for command in (("true",), ("sh", "-c", "sleep 9 & sleep 9"), ("sh", "-c", "sleep 9 & exit 3")):
        descriptors = sorted(Path("/proc/self/fd").iterdir())
        with level.open_box() as box:
            box.run(Step(command=command, limits=Limits(cpu_s=0.2, wall_s=0.2)))
        assert sorted(Path("/proc/self/fd").iterdir()) == descriptors
        assert set(_zombies()) <= orphans


def _zombies() -> list[str]:
    tasks = Path("/proc/self/task").glob("*/children")
    children = [pid for path in tasks for pid in path.read_text().split()]
    return [pid for pid in children if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"]


@pytest.mark.toolchain
@pytest.mark.parametrize("language_id", ["python", "javascript", "java", "go", "csharp"])
def test_runtimes_start_within_the_default_memory(
    sandbox: ColdSandbox, need_toolchain: Callable[[str], None], language_id: str
) -> None:
    need_toolchain(language_id)
    language = spec.get(language_id)
    request = ExecutionRequest(
        source=language.probes[Verdict.PASS].source, tests=language.probe_tests, language_id=language_id
    )
    assert sandbox.run(request).verdict == Verdict.PASS


def test_the_environment_of_the_host_is_not_seen(run_python: RunPython, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEGLOT_TEST_SECRET", "hunter2")
    source = """
import os, pathlib
seen = [str(dict(os.environ))]
for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
    try:
        seen.append(path.read_text())
    except PermissionError:
        pass
print("\\n".join(seen))
"""
    execution = run_python(source)
    assert "PATH" in execution.stdout
    assert "hunter2" not in execution.stdout


def test_private_disks_are_empty_for_each_program(run_python: RunPython) -> None:
    source = """
import os
for folder in ("/tmp", "/dev/shm", "/work"):
    print(os.listdir(folder))
    open(folder + "/left", "w").close()
"""
    assert run_python(source).stdout == "[]\n[]\n[]\n"
    assert run_python(source).stdout == "[]\n[]\n[]\n"


def test_a_link_left_in_a_prepared_folder_is_not_followed(level: Level, cache: Path) -> None:
    """The folder is handed over by a privileged user: what a link in it points to must not change owner or mode."""
    victim = cache / "victim"
    victim.write_text("mine")
    victim.chmod(0o600)
    language = _language(prepare=Prepare(command=("ln", "-s", str(victim), "/prepared/link")))
    folder = prepared_folder(level, language, "1")
    assert folder is not None
    assert (folder / "link").is_symlink()
    assert victim.stat().st_mode & 0o777 == 0o600


def test_a_compiler_sees_no_secret_of_the_host(sandbox: ColdSandbox, need_toolchain: Callable[[str], None]) -> None:
    need_toolchain("cpp")
    execution = sandbox.run(ExecutionRequest(source='#include "/etc/shadow"\nint main() {}', language_id="cpp"))
    assert execution.verdict == Verdict.COMPILE_ERROR
    assert "No such file" in execution.stderr


def test_compiling_is_limited_too(level: Level) -> None:
    sandbox = ColdSandbox(level, lambda _: _language(build=("sh", "-c", "while :; do :; done")))
    execution = sandbox.run(ExecutionRequest(source="", language_id="toy"))
    assert execution.verdict == Verdict.TIMEOUT_CPU
    assert execution.detail.endswith("while compiling")


def test_a_compiler_cannot_fill_the_disk_of_the_host(level: Level) -> None:
    fill = "for i in 1 2 3 4 5 6 7 8 9; do head -c 60000000 /dev/zero > /box/$i; done; sleep 5"
    sandbox = ColdSandbox(level, lambda _: _language(build=("sh", "-c", fill), compile_cpu_s=20))
    assert sandbox.run(ExecutionRequest(source="", language_id="toy")).verdict == Verdict.RESOURCE_DENIED


def test_the_folder_of_a_box_is_removed_whatever_is_in_it(level: Level) -> None:
    make = "mkdir -p /box/a/b; touch /box/a/b/c; ln -s / /box/root; chmod 0 /box/a/b /box/a; chmod 0 /box"
    with level.open_box() as box:
        assert box.run(Step(command=("sh", "-c", make), limits=Limits(), is_writable=True)).status == 0
        folder = box.folder
    if isinstance(level, ForkServers):  # it serves the next program, and goes with the level
        assert not list(folder.iterdir())
    else:
        assert not folder.exists()


def test_a_program_cannot_change_itself_between_compiling_and_running(run_python: RunPython) -> None:
    execution = run_python("open('/box/main.py', 'a').write('#')")
    assert execution.verdict == Verdict.RESOURCE_DENIED
    assert "Read-only file system" in execution.detail


def test_a_megabyte_of_output_takes_no_time(sandbox: ColdSandbox, run_python: RunPython) -> None:
    began = time.monotonic()
    execution = run_python("for _ in range(10**4):\n    print('x' * 99)")
    assert execution.verdict == Verdict.PASS
    assert "bytes left out" in execution.stdout
    assert time.monotonic() - began < 2


def test_the_marker_is_found_in_the_middle_of_much_output(sandbox: ColdSandbox, run_python: RunPython) -> None:
    late = "import atexit\natexit.register(lambda: print('y' * 200_000))\nprint('x' * 200_000, flush=True)"
    request = ExecutionRequest(source=late, tests="assert True", language_id="python")
    execution = sandbox.run(request)
    assert execution.verdict == Verdict.PASS
    assert set(execution.stdout) >= {"x", "y"}


def test_standard_streams_can_be_opened_by_name(run_python: RunPython) -> None:
    source = "text = open('/dev/stdin').read()\nopen('/dev/stdout', 'w').write(text.upper())"
    assert run_python(source, stdin="hello").stdout == "HELLO"


def test_much_input_that_nobody_reads_blocks_nothing(run_python: RunPython) -> None:
    assert run_python("print('done')", stdin="x" * 10**6).stdout == "done\n"


def test_half_of_a_surrogate_pair_in_a_program_breaks_nothing(run_python: RunPython) -> None:
    assert run_python("print('\ud83d')", stdin="\udc00").stdout == "?\n"


def test_a_closed_level_kills_what_runs(level: Level, new_level: Callable[[], Level]) -> None:
    level = new_level()
    outcomes: list[BaseException] = []

    def run() -> None:
        with level.open_box() as box:
            try:
                box.run(Step(command=("sleep", "60"), limits=Limits()))
            except BaseException as error:
                outcomes.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.2)
    level.close()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert "closed" in str(outcomes[0])


def test_boxes_die_with_a_supervisor_that_is_killed(level: Level, way: str, cache: Path) -> None:
    marker = f"codeglot-orphan-{os.getpid()}"
    source = f"""
from codeglot.execute.step import Step
from codeglot.records import Limits
from tests.execute.conftest import WAYS
with WAYS[{way!r}]().open_box() as box:
    box.run(Step(command=("sh", "-c", "sleep 60; : {marker}"), limits=Limits(wall_s=60)))
"""
    environment = {**os.environ, "TMPDIR": str(cache)}
    with subprocess.Popen([sys.executable, "-c", source], env=environment) as supervisor:
        _wait_until(lambda: _is_running(f"; : {marker}"))
        supervisor.kill()
    _wait_until(lambda: not _is_running(f"; : {marker}"))


def _is_running(text: str) -> bool:
    """Whether a program with this text in its command line is alive in a box: once it runs, `bwrap` is set to die."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if text in words and words.startswith("sh\0"):
            return True
    return False


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_failing_preparation_is_told_with_its_output(level: Level, cache: Path) -> None:
    language = _language(prepare=Prepare(command=("sh", "-c", "echo no such library >&2; exit 3")))
    with pytest.raises(ToolchainError, match=r"(?s)Toy.*3.*no such library"):
        prepared_folder(level, language, "1")
    assert not list((cache / "prepared").glob("toy-*[!k]"))  # nothing but the lock


def _language(*, build: tuple[str, ...] = (), prepare: Prepare | None = None, compile_cpu_s: float = 0.5) -> Language:
    return Language.model_validate(
        {
            "id": "toy",
            "name": "Toy",
            "source": "main.toy",
            "comment": "#",
            "version": ("true",),
            "compile": build,
            "run": ("cat", "/box/main.toy"),
            "prepare": prepare,
            "limits": {"compile_cpu_s": compile_cpu_s},
            "probe_tests": "",
            "probes": {"pass": {"source": ""}, "fail_assert": {"source": ""}},
        }
    )
