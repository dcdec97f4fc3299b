"""What levels without namespaces share: private folders instead of private mounts, and a keeper that ends leftovers.

The folders that a box shows at fixed places are open descriptors here, the same numbers in every process of a step, so
`/box` is `/proc/self/fd/200/.`, whose end makes it a folder for those that do not follow links. The commands and files
of a language are written so (`places`); a program that names `/tmp` by itself finds the host's, which is not its own.

As root each box has a user of its own, which no other process of the machine that takes part uses at the same time:
its tasks are counted for it alone, and all that it left can be killed at once.
"""

import contextlib
import importlib.util
import marshal
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from codeglot.errors import SandboxError
from codeglot.execute.cgroups import Cgroup, Cgroups, find_cgroups
from codeglot.execute.folders import Folders, remove_stale, remove_tree
from codeglot.execute.levels import launch
from codeglot.execute.levels.bubblewrap import NUM_OPEN_FILES, STACK_MIB, encode, memory_file
from codeglot.execute.levels.users import own_user
from codeglot.execute.places import Places, in_place
from codeglot.execute.service import BoxService, Services
from codeglot.execute.step import Outcome, Step, own_cpu_limit_s
from codeglot.execute.supervise import Start, become_subreaper, supervise
from codeglot.records import Limits
from codeglot.runs import cache_folder

USER_IDS = range(61056, 61184)
"""For boxes when root: of the range that systemd's conventions leave to nobody, the end that is not bubblewrap's."""
EXTRA_TASKS = 1024
"""Above those that a plain user has already: the kernel counts all tasks of a user together."""
PLACES: Places = {
    "/box": "/proc/self/fd/200/.",
    "/prepared": "/proc/self/fd/201/.",
    "/work": "/proc/self/fd/202/.",
    "/tmp": "/proc/self/fd/203/.",  # noqa: S108 - in the box
    "/npm": "/proc/self/fd/204/.",
}
_PREFIX = "codeglot-open-box-"
_PROBE_LIMITS = Limits(cpu_s=10.0, memory_mib=64)


class Confinement:
    """What the kernel is asked to keep a step to; nothing, as it stands here."""

    filters: tuple[bytes, ...] = ()
    """Filters of system calls."""

    def landlock(self, read: list[str], write: list[str]) -> dict[str, Any] | None:  # noqa: ARG002 - none here
        """Rules for a step that may read and write these; None: no rules."""
        return None


class Mountless:
    """A level without namespaces.

    Args:
        name: Of the level.
        confinement: What it asks of the kernel.
        find_groups: Finds what groups of the kernel can do here.

    Raises:
        SandboxError: If boxes cannot be started here; the message names the cause and the remedy.
    """

    places = PLACES

    def __init__(self, name: str, confinement: Confinement, find_groups: Callable[[], Cgroups] = find_cgroups) -> None:
        self.name = name
        self._confinement = confinement
        self._num_tasks = None if os.geteuid() == 0 else _count_tasks() + EXTRA_TASKS
        self._services = Services()
        become_subreaper()
        interpreter = Path(sys.executable).name
        remove_stale(Path(tempfile.gettempdir()), f"{_PREFIX}*", {os.geteuid()}, command=interpreter)
        self._folders = Folders(_PREFIX)
        self._groups = find_groups()
        self.cgroups = str(self._groups)
        self._probe()

    @contextlib.contextmanager
    def open_box(self, parent: Path | None = None) -> Iterator["MountlessBox"]:
        """Make a box, its folder in `parent` (None: the system's temporary folder); it is removed at the end."""
        with own_user(USER_IDS) as user, self._groups.take() as group, self._folders.make(parent) as root:
            root.chmod(0o711)
            yield MountlessBox(self, root, user, group)

    def start(self, step: Step) -> BoxService:
        """Start a process that stays, in a box of its own; see `Level.start`."""
        with contextlib.ExitStack() as stack:
            box = stack.enter_context(self.open_box())
            argv, fds = stack.enter_context(self._command(step, box))
            return self._services.start(argv, fds, remains=stack.pop_all())

    def close(self) -> None:
        """Kill all steps and services that run; they and later ones raise SandboxError."""
        self._services.close()
        self._groups.close()

    def run(self, step: Step, box: "MountlessBox") -> Outcome:
        """Run one step; `MountlessBox.run` is the way to call it."""
        with contextlib.ExitStack() as stack:
            argv, fds = stack.enter_context(self._command(step, box))
            start = Start(
                argv=(*argv, "{status_fd}"),
                pass_fds=fds,
                stdin=memory_file(encode(step.stdin or ""), stack),
                limits=step.limits,
                folder=box.root if step.is_writable else box.disks,
                disks=(),
                stop_fd=self._services.stop_fd,
                group=box.group,
            )
            return supervise(start)

    @contextlib.contextmanager
    def _command(self, step: Step, box: "MountlessBox") -> Iterator[tuple[tuple[str, ...], tuple[int, ...]]]:
        """What starts a step, and the descriptors for it; at the end all of it is dead, and what it wrote is gone."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(box.fresh_disks(step.work_files))
            keeper = stack.enter_context(_Keeper())
            plan = memory_file(marshal.dumps(self._plan(step, box, keeper.write)), stack)
            argv = (*box.group.join(step), sys.executable, "-I", "-S", _launcher(), str(plan), str(box.root))
            yield argv, (plan, keeper.write)

    def _plan(self, step: Step, box: "MountlessBox", keeper_fd: int) -> dict[str, Any]:
        """What `launch` has to know."""
        folders = {"/box": box.folder, "/work": box.disks / "work", "/tmp": box.disks / "tmp"}  # noqa: S108 - in the box
        if (npm := cache_folder() / "npm").is_dir():
            folders["/npm"] = npm
        if step.prepared:
            folders["/prepared"] = step.prepared
        folders |= {step.mount: box.folder}
        shown = [path for pattern in step.binds for path in sorted(map(str, Path("/").glob(pattern.lstrip("/"))))]
        writable = [box.disks, *([box.folder] if step.is_writable else [])]
        return {
            "parent": os.getpid(),
            "keeper_fd": keeper_fd,
            "command": [in_place(word, PLACES) for word in step.command],
            "env": _environment(step.env, box.disks),
            "cwd": str(box.folder if step.is_writable else folders["/work"]),
            "user": box.user,
            "limits": self._limits(step.limits),
            "folders": {_descriptor(place): str(path) for place, path in folders.items()},
            "filters": list(self._confinement.filters),
            "landlock": self._confinement.landlock(
                [*shown, *map(str, folders.values())], [str(path) for path in writable]
            ),
        }

    def _limits(self, limits: Limits) -> dict[str, int]:
        """Resource limits by the names that the standard library has for them."""
        return {
            "RLIMIT_NPROC": self._num_tasks or limits.num_tasks,
            "RLIMIT_DATA": limits.memory_mib * 2**20,
            "RLIMIT_FSIZE": limits.file_mib * 2**20,
            "RLIMIT_CPU": own_cpu_limit_s(limits),
            "RLIMIT_STACK": STACK_MIB * 2**20,
            "RLIMIT_NOFILE": NUM_OPEN_FILES,
            "RLIMIT_CORE": 0,
            "RLIMIT_MSGQUEUE": 0,  # queues outlive a program
        }

    def _probe(self) -> None:
        """Start a box that does nothing."""
        try:
            with self.open_box() as box:
                outcome = box.run(Step(command=("true",), limits=_PROBE_LIMITS))
        except SandboxError as error:
            raise SandboxError(
                f"{self.name} cannot start a box here. {error} Every user must be able to enter "
                f"{tempfile.gettempdir()}; else set TMPDIR to a folder like that."
            ) from error
        if outcome.status != 0:
            reason = (outcome.stderr or outcome.stdout).decode(errors="replace").strip()
            raise SandboxError(
                f"A box started, but 'true' failed in it with {outcome.status or outcome.stop}: {reason}."
            )


class MountlessBox:
    """Folders, a user, a group of the kernel, and the steps that share them."""

    def __init__(self, level: Mountless, root: Path, user: int | None, group: Cgroup) -> None:
        self.root = root
        self.folder = root / "box"
        self.disks = root / "disks"
        self.user = user
        self.group = group
        self._level = level
        self._make(self.folder)

    def put(self, files: Mapping[str, str | bytes]) -> None:
        """Write files by relative path; only before the first step, since a step could lay links in the way."""
        self._write(self.folder, files)

    def run(self, step: Step) -> Outcome:
        """Run one step; nothing of it is alive when this returns.

        Raises:
            SandboxError: If the box failed; never for a fault of the command.
        """
        return self._level.run(step, self)

    @contextlib.contextmanager
    def fresh_disks(self, work_files: Mapping[str, str]) -> Iterator[None]:
        """Empty folders for what one step writes beside the box's own."""
        self.disks.mkdir()
        self.disks.chmod(0o711)
        try:
            for name in ("work", "tmp"):
                self._make(self.disks / name)
            self._write(self.disks / "work", work_files)
            yield
        finally:
            remove_tree(self.disks)

    def _make(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self._own(folder)

    def _write(self, folder: Path, files: Mapping[str, str | bytes]) -> None:
        for path, text in files.items():
            target = folder / path
            for parent in reversed(target.relative_to(folder).parents[:-1]):
                if not (folder / parent).is_dir():
                    self._make(folder / parent)
            target.write_bytes(encode(text) if isinstance(text, str) else text)
            self._own(target)

    def _own(self, path: Path) -> None:
        if self.user is not None:
            os.chown(path, self.user, self.user)


class _Keeper:
    """The process that ends what a step left; known by a pipe into which it writes its number."""

    def __enter__(self) -> "_Keeper":
        self._read, self.write = os.pipe2(os.O_CLOEXEC)
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until it has done so: where the step was killed, it is this process's child by now."""
        os.close(self.write)
        number = os.read(self._read, 32)
        os.close(self._read)
        if number:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(int(number), 0)


def _launcher() -> str:
    """What the interpreter runs: the module as it was compiled when it was imported here, where that could be kept."""
    compiled = importlib.util.cache_from_source(launch.__file__)
    return compiled if Path(compiled).is_file() else launch.__file__


def _count_tasks() -> int:
    """Tasks of this process's user."""
    tasks = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if process.stat().st_uid == os.getuid():
                tasks += len(list((process / "task").iterdir()))
    return tasks


def _environment(env: Mapping[str, str], disks: Path) -> dict[str, str]:
    basis = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(disks / "tmp"),
        "TMPDIR": str(disks / "tmp"),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }
    return basis | {name: in_place(value, PLACES) for name, value in env.items()}


def _descriptor(place: str) -> int:
    return int(PLACES[place].split("/")[-2])
