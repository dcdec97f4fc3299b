"""A resident process stays until it is closed, whoever started it."""

import threading
import time
from pathlib import Path

import pytest

from codeglot.errors import SandboxError
from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.execute.service import BoxService
from codeglot.execute.step import Step
from codeglot.records import Limits

ECHO = Step(command=("sh", "-c", "while read line; do echo got $line; done"), limits=Limits(), is_writable=True)


def ask(service: BoxService, line: bytes) -> bytes:
    service.channel.settimeout(20)
    service.channel.sendall(line + b"\n")
    return service.channel.recv(100)


def test_it_outlives_the_thread_that_started_it(level: Bubblewrap) -> None:
    started: list[BoxService] = []
    thread = threading.Thread(target=lambda: started.append(level.start(ECHO)))
    thread.start()
    thread.join()
    time.sleep(0.3)
    with started[0] as service:
        assert ask(service, b"one") == b"got one\n"


def test_nothing_of_it_is_left_when_it_is_closed(level: Bubblewrap) -> None:
    with level.start(ECHO) as service:
        ask(service, b"one")
        pid = service.pid
    assert not Path(f"/proc/{pid}").exists()


def test_a_closed_level_ends_it_and_starts_none() -> None:
    level = Bubblewrap()
    service = level.start(ECHO)
    level.close()
    assert not Path(f"/proc/{service.pid}").exists()
    with pytest.raises(SandboxError, match="closed"):
        level.start(ECHO)
