"""What a program leaves in its folders, and what running many of them leaves in this process."""

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from codeglot.execute.cold import ColdSandbox
from codeglot.execute.levels.choose import LEVELS
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.step import Level, Step
from codeglot.languages import spec
from codeglot.records import Limits, Verdict
from tests.execute.hostile.conftest import Host

TRAPS = """
import os, socket
os.mkfifo("pipe")
os.symlink("@PUBLIC@/file", "link")
os.symlink("/", "root")
os.symlink("loop", "loop")
top = os.open(".", os.O_RDONLY)
path = "."
for _ in range(300):
    path += "/" + "d" * 200
    try:
        os.mkdir(path)
    except OSError:  # the path is too long for one call
        os.chdir(os.path.dirname(path))
        path = "./" + "d" * 200
        os.mkdir(path)
os.fchdir(top)
for name in (b"\\xff\\n", b"-rf", b"..."):
    os.mkdir(name)
    os.chmod(name, 0)
os.link("pipe", "other")
os.chmod(".", 0)
"""


@pytest.mark.parametrize("name", LEVELS)
def test_whatever_is_left_in_a_folder_is_removed_and_followed_nowhere(
    name: str, open_level: Callable[[str], Level], host: Host
) -> None:
    level = open_level(name)
    with level.open_box() as box:
        box.put({"traps.py": host.fill(TRAPS)})
        outcome = box.run(Step(command=("python3", "traps.py"), limits=Limits(), is_writable=True))
        assert outcome.status == 0, outcome.stderr.decode()
        folder = box.folder
    assert not folder.exists()
    assert not host.is_harmed()


@pytest.mark.parametrize("name", LEVELS)
def test_a_level_that_is_closed_kills_its_services(name: str, place: Path) -> None:
    level = LEVELS[name]()
    service = level.start(Step(command=("sh", "-c", "sleep 60 & setsid sleep 60 & echo up; cat"), limits=Limits()))
    assert service.channel.recv(3) == b"up\n"
    level.close()
    del service, level
    gc.collect()


@pytest.mark.parametrize(
    ("name", "count"),
    [(name, 60) for name in LEVELS] + [pytest.param(name, 10_000, marks=pytest.mark.slow) for name in list(LEVELS)[:1]],
)
@pytest.mark.timeout(3600)
def test_memory_stays_flat_over_many_programs(name: str, count: int, open_level: Callable[[str], Level]) -> None:
    sandbox = ColdSandbox(open_level(name))
    if problem := sandbox.toolchain(spec.get("bash")).problem:
        pytest.skip(problem)

    def run(times: int) -> None:
        for number in range(times):
            request = ExecutionRequest(source=f"echo {number} {'x' * 1000}", language_id="bash", limits=Limits(cpu_s=5))
            assert sandbox.run(request).verdict is Verdict.PASS

    run(20)
    before = _resident_kib()
    run(count)
    grown = _resident_kib() - before
    assert grown < 1024 + 0.1 * count, f"{grown} KiB over {count} programs"


@pytest.mark.parametrize("name", LEVELS)
def test_no_program_adds_to_the_names_that_are_interned(
    name: str, open_level: Callable[[str], Level], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pathlib does with each part of a path; what holds them grows with all that it ever held."""
    sandbox = ColdSandbox(open_level(name))
    if problem := sandbox.toolchain(spec.get("bash")).problem:
        pytest.skip(problem)

    def names() -> set[str]:
        seen = set()

        def intern(text: str) -> str:
            seen.add(text)
            return plain(text)

        request = ExecutionRequest(source="sleep 0.3", language_id="bash", limits=Limits(cpu_s=0.5))
        with monkeypatch.context() as patch:
            patch.setattr(sys, "intern", intern)
            assert sandbox.run(request).verdict is Verdict.PASS
        return seen

    plain = sys.intern
    assert names() == names()


def _resident_kib() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
