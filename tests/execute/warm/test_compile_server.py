"""What a resident compiler may say, and what becomes of one that says anything else."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from codeglot.execute.processes import Usage
from codeglot.execute.step import Box, Outcome, Service, Step
from codeglot.execute.warm.compile_server import (
    LARGEST_ANSWER,
    MAX_FILES,
    NUM_LATEST,
    CompileServer,
    check_files,
    pack_request,
    read_answer,
)
from codeglot.execute.warm.strategy import WarmthError
from codeglot.languages.spec import Language, Warm
from codeglot.records import Limits

Script = Callable[[socket.socket], None]
NUM_PROGRAMS = 50
LANGUAGE = Language.model_validate(
    {
        "id": "x",
        "name": "X",
        "source": "main.x",
        "comment": "#",
        "run": ["x"],
        "version": ["x"],
        "probe_tests": "",
        "probes": {"pass": {"source": ""}, "fail_assert": {"source": ""}},
        "warm": Warm(strategy="compile_server", server=("server",), memory_mib=100, num_programs=NUM_PROGRAMS),
    }
)
FILES = {"main.x": "1"}
STEP = Step(command=("-o", "/tmp/out"), limits=Limits(cpu_s=5.0, wall_s=10.0, output_kib=1))


def blob(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def answer(files: Mapping[str, bytes], status: int = 0, stdout: bytes = b"", stderr: bytes = b"") -> bytes:
    body = struct.pack(">I", status) + blob(stdout) + blob(stderr) + struct.pack(">I", len(files))
    return body + b"".join(blob(name.encode()) + blob(data) for name, data in files.items())


GOOD = answer({"main": b"\x7fELF"})


def read_request(channel: socket.socket) -> bytes:
    with channel.makefile("rb") as stream:
        return stream.read(struct.unpack(">I", stream.read(4))[0])


def say(*pieces: bytes) -> Script:
    """Answer every request with these bytes, then stay."""

    def script(channel: socket.socket) -> None:
        while read_request(channel):
            for piece in pieces:
                channel.sendall(piece)

    return script


def say_and_die(data: bytes) -> Script:
    def script(channel: socket.socket) -> None:
        read_request(channel)
        channel.sendall(data)

    return script


def say_nothing(channel: socket.socket) -> None:
    while channel.recv(1024):
        pass


class FakeService:
    """A service whose other end is a thread."""

    def __init__(self, script: Script) -> None:
        self.channel, self._theirs = socket.socketpair()
        self.used = Usage()
        self.step_s = 0.0
        self.is_closed = False
        self._thread = threading.Thread(target=self._serve, args=(script,))
        self._thread.start()

    def _serve(self, script: Script) -> None:
        try:
            script(self._theirs)
        except (OSError, struct.error):  # the other side has gone
            pass
        finally:
            self._theirs.close()

    def usage(self) -> Usage:
        self.used = Usage(self.used.cpu_s + self.step_s, self.used.memory_mib, self.used.largest_mib)
        return self.used

    def stderr(self) -> str:
        return "last words"

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self.channel.shutdown(socket.SHUT_RDWR)
            self._thread.join()
            self.channel.close()


class FakeLevel:
    """Starts services that follow a script."""

    name = "fake"
    places: Mapping[str, str] = {}
    cgroups = ""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.started: list[FakeService] = []

    def start(self, step: Step) -> Service:
        assert step.command == ("server",)
        self.started.append(FakeService(self.script))
        return self.started[-1]

    def open_box(self, parent: Path | None = None) -> AbstractContextManager[Box]:
        raise NotImplementedError

    def close(self) -> None:
        for service in self.started:
            service.close()


class FakeBox:
    """Remembers what was put into it."""

    folder = Path()

    def __init__(self) -> None:
        self.files: dict[str, str | bytes] = {}

    def put(self, files: Mapping[str, str | bytes]) -> None:
        self.files |= files

    def run(self, step: Step) -> Outcome:
        raise NotImplementedError


@pytest.fixture
def start() -> Iterator[Callable[[Script], tuple[CompileServer, FakeLevel]]]:
    """Make a strategy whose servers follow a script."""
    levels: list[FakeLevel] = []

    def make(script: Script) -> tuple[CompileServer, FakeLevel]:
        levels.append(FakeLevel(script))
        return CompileServer(levels[-1], LANGUAGE, None), levels[-1]

    yield make
    for level in levels:
        level.close()


Start = Callable[[Script], tuple[CompileServer, FakeLevel]]


def test_what_was_built_is_put_beside_the_program(start: Start) -> None:
    strategy, _ = start(say(blob(answer({"main": b"\x7fELF", "a/b": b""}, stderr=b"a warning"))))
    box = FakeBox()
    outcome = strategy.compile(box, FILES, STEP)
    assert (outcome.status, outcome.stderr) == (0, b"a warning")
    assert box.files == {"main.x": "1", "main": b"\x7fELF", "a/b": b""}


def test_a_request_holds_arguments_and_files_and_half_a_surrogate_pair_is_no_error() -> None:
    frame = pack_request(("-d",), {"ä.x": "\ud800"})
    body = struct.pack(">I", 1) + blob(b"-d") + struct.pack(">I", 1) + blob("ä.x".encode()) + blob(b"?")
    assert frame == blob(body)


def test_torn_frames_are_put_together(start: Start) -> None:
    frame = blob(answer({"main": bytes(300_000)}))
    strategy, _ = start(say(frame[:2], frame[2:5], frame[5:100_000], frame[100_000:]))
    box = FakeBox()
    strategy.compile(box, FILES, STEP)
    assert box.files["main"] == bytes(300_000)


def test_a_large_program_and_its_large_answer_do_not_wait_for_each_other(start: Start) -> None:
    strategy, _ = start(say(blob(answer({"main": bytes(8_000_000)}))))
    box = FakeBox()
    strategy.compile(box, {"main.x": "x" * 8_000_000}, STEP)
    assert len(box.files["main"]) == 8_000_000


@pytest.mark.parametrize(
    "frame",
    [
        GOOD[:-1],
        GOOD + b"\0",
        b"",
        GOOD[:4] + b"\xff\xff\xff\xff" + GOOD[8:],
        answer({})[:-4] + struct.pack(">I", 2**32 - 1),
        answer({str(number): b"" for number in range(MAX_FILES + 1)}),
        struct.pack(">I", 0) + blob(b"") * 2 + struct.pack(">I", 2) + (blob(b"main") + blob(b"")) * 2,
        struct.pack(">I", 0) + blob(b"") * 2 + struct.pack(">I", 1) + blob(b"\xff") + blob(b""),
    ],
    ids=["short", "long", "empty", "length", "count", "files", "twice", "no text"],
)
def test_an_answer_that_lies_is_refused(frame: bytes) -> None:
    with pytest.raises(WarmthError, match="compile server"):
        read_answer(frame)


@pytest.mark.parametrize(
    "path", ["../x", "a/../../x", "/etc/passwd", "", ".", "a//b", "a/", "a/.", "x\0y", "main.x", "main.x/a", "data"]
)
def test_files_outside_the_folder_or_in_the_place_of_others_are_refused(path: str) -> None:
    with pytest.raises(WarmthError, match="no program may have"):
        check_files({path: b""}, {"main.x": "", "data/in.txt": ""})


def test_a_file_in_the_place_of_a_built_folder_is_refused() -> None:
    with pytest.raises(WarmthError):
        check_files({"a": b"", "a/b": b""}, {})


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (say(struct.pack(">I", LARGEST_ANSWER)), "too large"),
        (say_and_die(b""), "died. last words"),
        (say_and_die(blob(GOOD)[:-1]), "died"),
        (say_and_die(b"\0\0"), "died"),
        (say(blob(GOOD) + b"\0"), "one answer for one request"),
        (say(blob(answer({}, status=3))), "ended a program with 3"),
        (say(blob(answer({}, stderr=bytes(2000)))), "printed more"),
        (say(blob(answer({"../x": b""}))), "no program may have"),
    ],
)
def test_a_server_that_fails_is_ended_and_another_takes_its_place(start: Start, script: Script, message: str) -> None:
    strategy, level = start(script)
    box = FakeBox()
    with pytest.raises(WarmthError, match=message):
        strategy.compile(box, FILES, STEP)
    assert level.started[0].is_closed
    assert not box.files
    level.script = say(blob(GOOD))
    assert strategy.compile(box, FILES, STEP).status == 0
    assert len(level.started) == 2


def test_a_compiler_that_never_ends_is_stopped_by_its_cpu_time(start: Start) -> None:
    def script(channel: socket.socket) -> None:
        read_request(channel)
        level.started[0].step_s = 3.0
        say_nothing(channel)

    strategy, level = start(script)
    with pytest.raises(WarmthError, match="CPU time"):
        strategy.compile(FakeBox(), FILES, STEP)


def test_a_compiler_that_sleeps_is_stopped_by_the_clock(start: Start) -> None:
    strategy, _ = start(say_nothing)
    with pytest.raises(WarmthError, match="too long"):
        strategy.compile(FakeBox(), FILES, Step(command=(), limits=Limits(cpu_s=0.3, wall_s=0.3)))


def test_a_server_that_sends_single_bytes_is_still_watched(start: Start) -> None:
    def drip(channel: socket.socket) -> None:
        read_request(channel)
        level.started[0].step_s = 3.0
        channel.sendall(struct.pack(">I", 10_000_000))
        while True:
            channel.sendall(b"x")

    strategy, level = start(drip)
    with pytest.raises(WarmthError, match="CPU time"):
        strategy.compile(FakeBox(), FILES, Step(command=(), limits=Limits(cpu_s=5.0)))


def test_a_compiler_that_takes_all_memory_is_stopped(start: Start) -> None:
    def script(channel: socket.socket) -> None:
        read_request(channel)
        level.started[0].used = Usage(memory_mib=201.0)
        say_nothing(channel)

    strategy, level = start(script)
    with pytest.raises(WarmthError, match="memory"):
        strategy.compile(FakeBox(), FILES, STEP)


def test_all_cpu_time_is_told_the_start_with_the_first_program(start: Start) -> None:
    def script(channel: socket.socket) -> None:
        for used_s in (1.5, 1.75):
            read_request(channel)
            level.started[0].used = Usage(cpu_s=used_s)
            channel.sendall(blob(GOOD))

    strategy, level = start(script)
    seconds = [strategy.compile(FakeBox(), FILES, STEP).cpu_s for _ in range(2)]
    assert seconds == [1.5, 0.25]


def test_one_server_serves_many_programs_and_is_replaced_after_so_many(start: Start) -> None:
    strategy, level = start(say(blob(GOOD)))
    for _ in range(NUM_PROGRAMS):
        strategy.compile(FakeBox(), FILES, STEP)
    assert [service.is_closed for service in level.started] == [True]
    strategy.compile(FakeBox(), FILES, STEP)
    assert len(level.started) == 2


def test_a_server_that_holds_too_much_memory_is_replaced(start: Start) -> None:
    strategy, level = start(say(blob(GOOD)))
    strategy.compile(FakeBox(), FILES, STEP)
    level.started[0].used = Usage(largest_mib=81.0)
    strategy.compile(FakeBox(), FILES, STEP)
    assert level.started[0].is_closed


def test_a_server_that_gets_slow_is_replaced(start: Start) -> None:
    strategy, level = start(say(blob(GOOD)))
    strategy.compile(FakeBox(), FILES, STEP)
    level.started[0].step_s = 0.1
    for _ in range(NUM_LATEST):
        strategy.compile(FakeBox(), FILES, STEP)
    assert not level.started[0].is_closed
    level.started[0].step_s = 0.4
    for _ in range(NUM_LATEST):
        strategy.compile(FakeBox(), FILES, STEP)
        if level.started[0].is_closed:
            return
    pytest.fail("it was kept")


def test_two_programs_at_once_have_two_servers(start: Start) -> None:
    both = threading.Barrier(2, timeout=10)

    def script(channel: socket.socket) -> None:
        while read_request(channel):
            both.wait()
            channel.sendall(blob(GOOD))

    strategy, level = start(script)
    threads = [threading.Thread(target=strategy.compile, args=(FakeBox(), FILES, STEP)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(level.started) == 2
    strategy.close()
    assert all(service.is_closed for service in level.started)


def test_a_closed_strategy_keeps_no_server(start: Start) -> None:
    strategy, level = start(say(blob(GOOD)))
    strategy.close()
    strategy.compile(FakeBox(), FILES, STEP)
    assert level.started[0].is_closed
