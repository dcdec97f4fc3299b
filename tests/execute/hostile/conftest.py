import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from codeglot.errors import SandboxError
from codeglot.execute.cold import ColdSandbox
from codeglot.execute.folders import remove_tree
from codeglot.execute.levels.choose import LEVELS
from codeglot.execute.processes import descendants
from codeglot.execute.step import Level

MARKER = f"codeglot-hostile-{os.getpid()}"
"""In the command line of every process and the name of every socket that a program may leave."""


@pytest.fixture(scope="package")
def place() -> Iterator[Path]:
    """A temporary folder of this suite alone, which the users of boxes can enter."""
    folder = Path(tempfile.mkdtemp(prefix="codeglot-hostile-"))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        yield folder
    remove_tree(folder)


@pytest.fixture(scope="package")
def open_level(place: Path) -> Iterator[Callable[[str], Level]]:
    """`open_level(name)`: that level, or the test is skipped with the reason."""
    levels: dict[str, Level | SandboxError] = {}

    def get(name: str) -> Level:
        if name not in levels:
            try:
                levels[name] = LEVELS[name]()
            except SandboxError as error:
                levels[name] = error
        level = levels[name]
        if isinstance(level, SandboxError):
            pytest.skip(str(level))
        return level

    yield get
    for level in levels.values():
        if not isinstance(level, SandboxError):
            level.close()


@pytest.fixture
def sandbox_of(open_level: Callable[[str], Level]) -> Callable[[str], ColdSandbox]:
    """`sandbox_of(name)`: a sandbox of that level."""
    return lambda name: ColdSandbox(open_level(name))


@pytest.fixture(autouse=True)
def nothing_is_left(place: Path, open_level: Callable[[str], Level]) -> Iterator[None]:
    """No test leaves a process, a mount, a file, a socket or an open descriptor."""
    before = _traces(place)
    yield
    assert _traces(place) == before


def _traces(place: Path) -> dict[str, list[str]]:
    """What can be seen of all that ran; a level's own descriptor stays with it."""
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if MARKER in words:
            commands.append(words)
    return {
        "processes": [str(pid) for pid in descendants(os.getpid())],
        "marked": commands,
        "mounts": Path("/proc/self/mounts").read_text().splitlines(),
        "files": sorted(str(path) for path in place.rglob("*")),
        "sockets": [line for line in Path("/proc/net/unix").read_text().splitlines() if MARKER in line],
        "descriptors": [kind for kind in map(_kind, Path("/proc/self/fd").iterdir()) if kind],
    }


def _kind(descriptor: Path) -> str:
    """What a descriptor is; nothing for those of levels, which are opened when first asked for."""
    try:
        target = str(descriptor.readlink())
    except FileNotFoundError:
        return ""
    return "" if "eventfd" in target or target.startswith("/sys/fs/cgroup/") else target


@pytest.fixture
def host(place: Path, open_level: Callable[[str], Level]) -> Iterator["Host"]:
    """What is there to be attacked."""
    with ExitStack() as stack:
        yield Host(place, stack)


class Host:
    """Servers, files and processes; `fill(text)` puts their names into a program."""

    def __init__(self, place: Path, stack: ExitStack) -> None:
        public = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=place)))
        public.chmod(0o777)
        (public / "file").write_text("not to be changed")
        (public / "file").chmod(0o666)
        secret = public / "secret"
        secret.write_text("hunter2")
        secret.chmod(0o600)
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.udp.bind(("127.0.0.1", 0))
        self.udp.setblocking(False)
        for name in (f"\0{MARKER}", str(public / "socket")):
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(name)
            server.listen()
        (public / "socket").chmod(0o777)
        self.file = public / "file"
        self.victim = stack.enter_context(
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", MARKER], env={"PASSWORD": "hunter2"})
        )
        stack.callback(self.victim.kill)
        self._names = {
            "MARKER": MARKER,
            "SECRET": secret,
            "PUBLIC": public,
            "TMP": place,
            "HOME": Path.home(),
            "TESTS": __file__,
            "TCP": tcp.getsockname()[1],
            "UDP": self.udp.getsockname()[1],
            "VICTIM": self.victim.pid,
            "SUPERVISOR": os.getpid(),
        }

    def fill(self, text: str, **more: object) -> str:
        """A program with the places of this host."""
        for name, value in (self._names | more).items():
            text = text.replace(f"@{name}@", str(value))
        return text

    def is_harmed(self) -> str:
        """What of it was reached or changed; empty: nothing."""
        try:
            return f"received {self.udp.recv(100)!r}"
        except BlockingIOError:
            pass
        if self.file.read_text() != "not to be changed":
            return "a file was changed"
        state = Path(f"/proc/{self.victim.pid}/stat").read_text().rpartition(")")[2].split()[0]
        return "" if state in "SR" else f"a process is in the state {state}"
