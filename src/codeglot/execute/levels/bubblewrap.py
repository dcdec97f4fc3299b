"""Isolation by bubblewrap: user, mount, pid, network, IPC and host-name namespaces, limits and a system-call filter.

A program sees a read-only /usr, its own folder, and sized private disks; no network, no other process, no home. As
root, each box runs as an unprivileged user of its own, since root is exempt from the limit on tasks.
"""

import contextlib
import fcntl
import functools
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path, PurePath
from types import MappingProxyType

from codeglot.errors import SandboxError
from codeglot.execute.cgroups import Cgroup, Cgroups, find_cgroups
from codeglot.execute.folders import Folders, remove_stale
from codeglot.execute.levels.users import own_user
from codeglot.execute.service import BoxService, Services
from codeglot.execute.step import Outcome, Step, own_cpu_limit_s
from codeglot.execute.supervise import Start, become_subreaper, supervise
from codeglot.records import Limits
from codeglot.runs import cache_folder

OLDEST_VERSION = (0, 8)
INSTALL = "`apt-get install bubblewrap` (or your system's package manager) brings it"
USER_IDS = range(60578, 61056)
"""For boxes when root: of a range that systemd's conventions leave to nobody, the part that is no other level's."""
STACK_MIB = 8
NUM_OPEN_FILES = 256
WORK = "/work"
"""Current folder of a program in its box, private and writable."""
DISKS = ("/dev/shm", "/tmp", WORK)  # noqa: S108 - in the box
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108 - in the box
    "LANG": "C.UTF-8",
    "TZ": "UTC",
}
_FIXED_LIMITS = {"stack": STACK_MIB * 2**20, "nofile": NUM_OPEN_FILES, "core": 0}
_PREFIX = "codeglot-box-"
_LINKED_TO_USR = ("/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin")
_PROBE_LIMITS = Limits(cpu_s=10.0, memory_mib=64)


class Bubblewrap:
    """The level `bubblewrap`.

    Args:
        find_groups: Finds what groups of the kernel can do here.

    Raises:
        SandboxError: If boxes cannot be started here; the message names the cause and the remedy.
    """

    name = "bubblewrap"
    places: Mapping[str, str] = MappingProxyType({})

    def __init__(self, find_groups: Callable[[], Cgroups] = find_cgroups) -> None:
        command = self._find_tools()
        self._filter = read_filter()
        self._services = Services()
        become_subreaper()
        owners = {os.geteuid(), *(USER_IDS if os.geteuid() == 0 else ())}
        remove_stale(Path(tempfile.gettempdir()), f"{_PREFIX}*", owners, command=command)
        self._folders = Folders(_PREFIX)
        self._groups = find_groups()
        self.cgroups = str(self._groups)
        self._probe()

    @contextlib.contextmanager
    def open_box(self, parent: Path | None = None) -> Iterator["BubblewrapBox"]:
        """Make a box, its folder in `parent` (None: the system's temporary folder); it is removed at the end."""
        with own_user(USER_IDS) as user, self._groups.take() as group, self._folders.make(parent) as folder:
            if user is not None:
                os.chown(folder, user, user)
            yield BubblewrapBox(self, folder, user, group)

    def start(self, step: Step) -> BoxService:
        """Start a process that stays, in a box of its own; see `Level.start`."""
        with contextlib.ExitStack() as stack, contextlib.ExitStack() as files:
            box = stack.enter_context(self.open_box())
            fds: list[int] = []
            argv = self._argv(step, box, lambda data: give(data, fds, files))
            return self._services.start(argv, fds, remains=stack.pop_all())

    def close(self) -> None:
        """Kill all steps and services that run; they and later ones raise SandboxError."""
        self._services.close()
        self._groups.close()

    def _probe(self) -> None:
        """Start a box that does nothing."""
        try:
            with self.open_box() as box:
                outcome = box.run(Step(command=("true",), limits=_PROBE_LIMITS))
        except SandboxError as error:
            raise SandboxError(f"{self.name} cannot start a box here. {error} {_remedy(str(error))}") from error
        if outcome.status != 0:
            reason = (outcome.stderr or outcome.stdout).decode(errors="replace").strip()
            raise SandboxError(
                f"A box started, but 'true' failed in it with {outcome.status or outcome.stop}: {reason}."
            )

    def run(self, step: Step, box: "BubblewrapBox") -> Outcome:
        """Run one step; `BubblewrapBox.run` is the way to call it."""
        with contextlib.ExitStack() as stack:
            fds: list[int] = []
            options = ("--json-status-fd", "{status_fd}")
            argv = self._argv(step, box, lambda data: give(data, fds, stack), *options)
            start = Start(
                argv=tuple(argv),
                pass_fds=tuple(fds),
                stdin=memory_file(encode(step.stdin or ""), stack),
                limits=step.limits,
                folder=box.folder if step.is_writable else None,
                disks=DISKS,
                stop_fd=self._services.stop_fd,
                group=box.group,
            )
            return supervise(start)

    def _argv(self, step: Step, box: "BubblewrapBox", give: Callable[[bytes], str], *options: str) -> list[str]:
        """The command that starts a step; `give` makes a file of some bytes and returns its descriptor."""
        argv = [*box.group.join(step), *self._entering(box.user), *_namespaces(), "--seccomp", give(self._filter)]
        argv += _environment(step.env)
        argv += _root(step)
        argv += _disks(step.limits, extra_bytes=sum(len(encode(text)) for text in step.work_files.values()))
        for path, text in step.work_files.items():
            argv += ["--perms", "0644", "--file", give(encode(text)), f"{WORK}/{path}"]
        argv += ["--bind" if step.is_writable else "--ro-bind", str(box.folder), step.mount]
        argv += ["--remount-ro", "/", "--chdir", step.mount if step.is_writable else WORK]
        return [*argv, *options, "--", *_limit(resource_limits(step.limits)), *step.command]

    def server_argv(
        self,
        step: Step,
        box: "BubblewrapBox",
        provide: Callable[[bytes], str],
        files: Mapping[str, bytes],
        command: Sequence[str],
    ) -> list[str]:
        """The command that starts a resident process which can make boxes of its own for steps like this one.

        Its files lie where each of those boxes has a private disk, which hides them.
        """
        argv = [*box.group.join(step), *self._entering(box.user)]
        argv += [*_namespaces(), *_environment(step.env), *_root(step)]
        argv += ["--dir", "/tmp", "--tmpfs", WORK]  # noqa: S108 - in the box
        for path, data in files.items():
            argv += ["--file", provide(data), f"{WORK}/{path}"]
        argv += ["--bind", str(box.folder), step.mount, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORK]
        return [*argv, "--", *_limit(_FIXED_LIMITS), *command]

    def _find_tools(self) -> str:
        """Find what starts a box; the name of its process."""
        self._bwrap = _find("bwrap", INSTALL)
        _check_version(self._bwrap)
        # `Popen(user=...)` would copy the page tables of this process.
        self._setpriv = _find("setpriv", "it is part of util-linux") if os.geteuid() == 0 else ""
        return Path(self._bwrap).name

    def _entering(self, user: int | None) -> list[str]:
        """What starts a box of this user, before its options."""
        if user is None:
            return [self._bwrap]
        return [self._setpriv, f"--reuid={user}", f"--regid={user}", "--clear-groups", "--", self._bwrap]


class BubblewrapBox:
    """A folder, a user, a group of the kernel, and the steps that share them."""

    def __init__(self, level: Bubblewrap, folder: Path, user: int | None, group: Cgroup) -> None:
        self.folder = folder
        self.user = user
        self.group = group
        self._level = level

    def put(self, files: Mapping[str, str | bytes]) -> None:
        """Write files by relative path; only before the first step, since a step could lay links in the way."""
        for path, text in files.items():
            for parent in reversed(PurePath(path).parents[:-1]) if "/" in path else ():
                if not (new := self.folder / parent).is_dir():
                    new.mkdir()
                    self._own(new)
            target = f"{self.folder}/{path}"
            with open(target, "wb") as file:  # noqa: PTH123 - a path would cost more than what it names
                file.write(encode(text) if isinstance(text, str) else text)
            self._own(target)

    def _own(self, path: str | Path) -> None:
        if self.user is not None:
            os.chown(path, self.user, self.user)

    def run(self, step: Step) -> Outcome:
        """Run one step; nothing of it is alive when this returns.

        Raises:
            SandboxError: If the box failed; never for a fault of the command.
        """
        return self._level.run(step, self)


def _find(tool: str, remedy: str) -> str:
    path = shutil.which(tool)
    if path is None:
        raise SandboxError(f"'{tool}' is not installed; {remedy}.")
    return path


def _check_version(bwrap: str) -> None:
    answer = subprocess.run([bwrap, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - fixed command
    numbers = re.search(r"(\d+)\.(\d+)", answer.stdout)
    if numbers is None or tuple(map(int, numbers.groups())) < OLDEST_VERSION:
        needed = ".".join(map(str, OLDEST_VERSION))
        found = answer.stdout.strip() or answer.stderr.strip() or "no answer to --version"
        raise SandboxError(
            f"{bwrap} is too old ({found}); {needed} or newer is needed. {INSTALL[0].upper()}{INSTALL[1:]}."
        )


def read_filter() -> bytes:
    """The shipped filter of system calls.

    Raises:
        SandboxError: If there is none for this processor.
    """
    machine = platform.machine()
    path = resources.files("codeglot.execute.seccomp") / f"{machine}.bpf"
    if not path.is_file():
        raise SandboxError(
            f"There is no system-call filter for the processor '{machine}'; x86_64 and aarch64 have one."
        )
    return path.read_bytes()


def _remedy(message: str) -> str:
    """What helps against a failure to make namespaces."""
    settings = {
        "/proc/sys/kernel/unprivileged_userns_clone": ("0", "sysctl -w kernel.unprivileged_userns_clone=1"),
        "/proc/sys/user/max_user_namespaces": ("0", "sysctl -w user.max_user_namespaces=10000"),
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": (
            "1",
            "an AppArmor profile that grants bwrap `userns`, or writing 0 there",
        ),
    }
    for path, (bad, remedy) in settings.items():
        if Path(path).exists() and Path(path).read_text(encoding="ascii").strip() == bad:
            return f"{path} is {bad}; this helps: {remedy}."
    if "Can't find source path" in message or "Permission denied" in message:
        return f"Every user must be able to enter {tempfile.gettempdir()}; else set TMPDIR to a folder like that."
    return "In a container, its seccomp or AppArmor profile may forbid user namespaces: allow them, or run on the host."


def encode(text: str) -> bytes:
    """UTF-8; a lone half of a surrogate pair, which a model may write, becomes a question mark."""
    return text.encode("utf-8", errors="replace")


def give(data: bytes, fds: list[int], stack: contextlib.ExitStack) -> str:
    """A descriptor for a box to read these bytes from; it is noted in `fds`."""
    fds.append(memory_file(data, stack))
    return str(fds[-1])


def memory_file(data: bytes, stack: contextlib.ExitStack) -> int:
    """A read-only file in memory: never blocks its reader or its writer, and may be opened by name in the box."""
    descriptor = os.memfd_create("codeglot", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    stack.callback(os.close, descriptor)
    written = 0
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], written)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    return descriptor


def _namespaces() -> list[str]:
    return ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """All variables of a step that has these of its own."""
    return {**_ENVIRONMENT, **env}


def _environment(env: Mapping[str, str]) -> list[str]:
    argv = ["--clearenv"]
    for name, value in environment(env).items():
        argv += ["--setenv", name, value]
    return argv


def _root(step: Step) -> list[str]:
    """The read-only part of what a program sees."""
    argv = ["--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev", *_system()]
    shown = {path: path for pattern in step.binds for path in sorted(map(str, Path("/").glob(pattern.lstrip("/"))))}
    shown |= {"/npm": str(npm)} if (npm := cache_folder() / "npm").is_dir() else {}
    shown |= {"/prepared": str(step.prepared)} if step.prepared else {}
    for inside, outside in shown.items():
        argv += ["--ro-bind", outside, inside]
    return argv


@functools.cache
def _system() -> tuple[str, ...]:
    """What shows the rest of the system."""
    argv: list[str] = []
    for path in map(Path, _LINKED_TO_USR):
        if path.is_symlink():
            argv += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            argv += ["--ro-bind", str(path), str(path)]
    for name in ("/etc/alternatives", "/etc/ld.so.cache"):
        argv += ["--ro-bind", name, name] if Path(name).exists() else []
    return tuple(argv)


def _disks(limits: Limits, *, extra_bytes: int) -> list[str]:
    """Private disks in memory, sized; what holds them is read-only."""
    size = limits.disk_mib * 2**20
    argv = ["--perms", "1777", "--size", str(size), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]  # noqa: S108 - in the box
    argv += ["--perms", "1777", "--size", str(size), "--tmpfs", "/tmp"]  # noqa: S108 - in the box
    return [*argv, "--perms", "0755", "--size", str(size + extra_bytes), "--tmpfs", WORK]


def resource_limits(limits: Limits) -> dict[str, int]:
    """By the names of `prlimit`; CPU seconds are a second belt."""
    return {
        "nproc": limits.num_tasks,
        "data": limits.memory_mib * 2**20,
        "fsize": limits.file_mib * 2**20,
        "cpu": own_cpu_limit_s(limits),
        **_FIXED_LIMITS,
    }


def _limit(limits: Mapping[str, int]) -> list[str]:
    """Set inside the user namespace, where tasks are counted for this box alone."""
    return ["prlimit", *(f"--{name}={value}" for name, value in limits.items()), "--"]
