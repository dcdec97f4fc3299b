"""The strategy `compile_server`: a resident compiler in a box of its own, which takes sources and gives files.

Its box and a program's have nothing in common: what it built comes back as bytes, is checked, and is then put into the
program's box. So no program reaches what a compiler holds, and no link that either of them laid is followed. Whatever a
server does wrong - to die, to use too much, to answer nonsense or a status of its own making - ends it, and the program
is built cold. One server works for one program at a time; there are as many as programs were built at once.

The protocol is described in `Server.java`, beside this file, which serves compilers that run on the Java virtual
machine; any other program that speaks it will do.
"""

import contextlib
import select
import struct
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from statistics import median

from codeglot.execute.processes import Usage
from codeglot.execute.step import MEMORY_FACTOR, Box, Level, Outcome, Service, Step
from codeglot.execute.toolchains import compile_limits
from codeglot.execute.warm.strategy import WarmthError
from codeglot.languages.spec import Language, Warm
from codeglot.records import Limits

LARGEST_ANSWER = 32 * 2**20
"""Bytes of all that a program is built into, and of the messages."""
MAX_FILES = 2000
STATUSES = (0, 1)
"""Built, and refused; compilers have others for what went wrong in themselves."""
LOOK_S = 0.25
"""Time between two looks at what a server uses."""
FULL = 0.8
"""Share of its memory from which a server is replaced."""
DRIFT = 3.0
"""How many times the CPU time of its best programs a server's latest ones may take before it is replaced."""
NUM_LATEST = 20
LEAST_S = 0.05
"""CPU time below which programs do not differ: the kernel counts in hundredths of a second."""
_NUMBER = struct.Struct(">I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server says of one program."""

    status: int
    stdout: bytes
    stderr: bytes
    files: dict[str, bytes]
    """By path relative to the program's folder."""


class CompileServer:
    """The resident compilers of one language; safe to call from many threads.

    Args:
        level: Where they are started, when they are needed.
        language: Its `warm` says how.
        prepared: What `prepare` built for it.
    """

    name = "compile_server"
    forks = False

    def __init__(self, level: Level, language: Language, prepared: Path | None) -> None:
        if language.warm is None or not language.warm.server:
            raise ValueError(f"{language.id} has no compile server")
        self._level = level
        self._warm = language.warm
        limits = compile_limits(language).model_copy(
            update={
                "cpu_s": language.limits.compile_cpu_s * language.warm.num_programs,
                "memory_mib": language.warm.memory_mib,
            }
        )
        self._start = Step(
            command=language.warm.server,
            limits=limits,
            env=language.env,
            binds=language.binds,
            is_writable=True,
            prepared=prepared,
        )
        self._idle: list[_Server] = []
        self._lock = threading.Lock()
        self._is_closed = False

    def compile(self, box: Box, files: Mapping[str, str], step: Step) -> Outcome:
        """Let a server build the program, and put its files and what was built into the box.

        Raises:
            SandboxError: If no server can be started.
            WarmthError: If the server failed; it is ended then.
        """
        began = time.monotonic()
        server = self._take()
        try:
            answer, cpu_s = server.build(step, files)
            check_files(answer.files, files)
        except BaseException:
            server.close()
            raise
        memory_mib = server.memory_mib
        self._give_back(server)
        box.put({**files, **answer.files})
        return Outcome(
            status=answer.status,
            stdout=answer.stdout,
            stderr=answer.stderr,
            cpu_s=cpu_s,
            wall_s=time.monotonic() - began,
            memory_mib=memory_mib,
        )

    def close(self) -> None:
        """End all servers; one that works is ended when it has answered."""
        with self._lock:
            self._is_closed = True
            servers, self._idle = self._idle, []
        for server in servers:
            server.close()

    def _take(self) -> "_Server":
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Server(self._level.start(self._start), self._warm)

    def _give_back(self, server: "_Server") -> None:
        with self._lock:
            if not self._is_closed and not server.is_worn:
                self._idle.append(server)
                return
        server.close()


@dataclass(slots=True)
class _Server:
    """One resident compiler, and what it has cost so far."""

    service: Service
    warm: Warm
    memory_mib: float = 0.0
    _cpu_s: float = 0.0
    _num_programs: int = 0
    _best_s: float = float("inf")
    _latest_s: deque[float] = field(default_factory=lambda: deque(maxlen=NUM_LATEST))

    @property
    def is_worn(self) -> bool:
        """Whether a new one should take its place."""
        return (
            self._num_programs >= self.warm.num_programs
            or self.memory_mib > FULL * self.warm.memory_mib
            or (len(self._latest_s) == NUM_LATEST and median(self._latest_s) > DRIFT * self._best_s)
        )

    def build(self, step: Step, files: Mapping[str, str]) -> tuple[Answer, float]:
        """The answer for one program, and CPU seconds: all that were used since the last answer.

        So the start of a server counts for its first program, and nothing is left out.
        """
        answer = read_answer(self._exchange(pack_request(step.command, files), step.limits))
        if answer.status not in STATUSES:
            raise WarmthError(f"The compile server ended a program with {answer.status}. {self._last_words()}")
        if len(answer.stdout) + len(answer.stderr) > step.limits.output_kib * 1024:
            raise WarmthError("The compile server printed more than a compiler may.")
        used_s = self._look().cpu_s
        took_s, self._cpu_s = used_s - self._cpu_s, used_s
        self._num_programs += 1
        self._latest_s.append(took_s)
        if len(self._latest_s) == NUM_LATEST:
            self._best_s = min(self._best_s, max(median(self._latest_s), LEAST_S))
        return answer, took_s

    def close(self) -> None:
        """End it."""
        self.service.close()

    def _exchange(self, request: bytes, limits: Limits) -> bytes:
        """Send a request and return its answer, while looking at what the server uses."""
        channel = self.service.channel
        unsent, received, expected = memoryview(request), bytearray(), _NUMBER.size
        began = last_look = time.monotonic()
        poll = select.poll()
        try:
            channel.settimeout(0)
            poll.register(channel, select.POLLIN | select.POLLOUT)
            while len(received) < expected:
                poll.poll(LOOK_S * 1000)
                if time.monotonic() - began > limits.wall_guard_s:
                    raise WarmthError("The compile server took too long.")
                if time.monotonic() > last_look + LOOK_S:
                    self._check(limits)
                    last_look = time.monotonic()
                with contextlib.suppress(BlockingIOError):
                    if unsent and not (unsent := unsent[channel.send(unsent) :]):
                        poll.modify(channel, select.POLLIN)
                with contextlib.suppress(BlockingIOError):
                    if not (chunk := channel.recv(2**18)):
                        raise WarmthError(f"The compile server died. {self._last_words()}")
                    received += chunk
                if len(received) >= _NUMBER.size:
                    expected = _NUMBER.size + int(_NUMBER.unpack_from(received)[0])
                if expected > LARGEST_ANSWER:
                    raise WarmthError("The answer of the compile server is too large.")
        except OSError as error:  # it died, or the sandbox was closed meanwhile
            raise WarmthError(f"The compile server died: {error.strerror}. {self._last_words()}") from error
        if unsent or len(received) > expected:
            raise WarmthError("The compile server did not keep to one answer for one request.")
        return bytes(received[_NUMBER.size :])

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):  # it was closed meanwhile
            return self.service.stderr()
        return ""

    def _look(self) -> Usage:
        usage = self.service.usage()
        self.memory_mib = usage.largest_mib
        return usage

    def _check(self, limits: Limits) -> None:
        """Stop what is over a limit; the cold build, with the same limits, decides whose fault it was."""
        usage = self._look()
        if usage.cpu_s - self._cpu_s > limits.cpu_s:
            raise WarmthError("The compile server used too much CPU time for one program.")
        if usage.memory_mib > MEMORY_FACTOR * self.warm.memory_mib:
            raise WarmthError("The compile server used too much memory.")


def pack_request(arguments: tuple[str, ...], files: Mapping[str, str]) -> bytes:
    """The frame that asks for a program to be built."""
    body = _NUMBER.pack(len(arguments)) + b"".join(map(_pack, arguments))
    body += _NUMBER.pack(len(files)) + b"".join(_pack(name) + _pack(text) for name, text in files.items())
    return _NUMBER.pack(len(body)) + body


def read_answer(frame: bytes) -> Answer:
    """Read the content of an answer's frame.

    Raises:
        WarmthError: If it is not one, to the last byte.
    """
    place = 0

    def number() -> int:
        nonlocal place
        place += 4
        return int(_NUMBER.unpack_from(frame, place - 4)[0])

    def take() -> bytes:
        nonlocal place
        size = number()
        place += size
        if place > len(frame):
            raise WarmthError("The answer of the compile server ends too early.")
        return frame[place - size : place]

    try:
        status, stdout, stderr = number(), take(), take()
        num_files = number()
        if num_files > MAX_FILES:
            raise WarmthError(f"The compile server built {num_files} files; {MAX_FILES} are the most.")
        files = [(take().decode(), take()) for _ in range(num_files)]
    except (struct.error, UnicodeDecodeError) as error:
        raise WarmthError(f"The answer of the compile server cannot be read: {error}.") from error
    if place != len(frame) or len(dict(files)) != len(files):
        raise WarmthError("The answer of the compile server cannot be read: it says something twice, or too much.")
    return Answer(status=status, stdout=stdout, stderr=stderr, files=dict(files))


def check_files(built: Mapping[str, bytes], files: Mapping[str, str]) -> None:
    """Refuse what a compiler never builds: files outside the program's folder, or in the place of another.

    Raises:
        WarmthError: If there is one.
    """
    folders = {str(parent) for path in (*built, *files) for parent in PurePosixPath(path).parents}
    for path in built:
        is_plain = path == str(PurePosixPath(path)) and not path.startswith("/") and ".." not in path.split("/")
        if not is_plain or "\0" in path or path in files:
            raise WarmthError(f"The compile server built the file '{path}', which no program may have.")
    for path in folders & {*built, *files}:
        raise WarmthError(f"The compile server built the folder '{path}', which no program may have.")


def _pack(text: str) -> bytes:
    data = text.encode("utf-8", errors="replace")  # as boxes do: a model may write half of a surrogate pair
    return _NUMBER.pack(len(data)) + data
