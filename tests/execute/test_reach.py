from collections.abc import Iterator
from socket import create_server, socket
from threading import Thread

import pytest

from codeglot.execute import reach as module
from codeglot.execute.reach import GREETING, reach


@pytest.fixture
def server() -> Iterator[socket]:
    with create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.parametrize(
    "address", ["", ":", ":6379", "host", "host:", "host:port", "host:0", "host:70000", "ray://:1"]
)
def test_an_address_of_another_form_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="'auto', HOST:PORT or ray://HOST:PORT"):
        reach(address)


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_who_listens_and_says_nothing_is_given_up_soon(
    monkeypatch: pytest.MonkeyPatch, server: socket, scheme: str
) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.2)
    with pytest.raises(TimeoutError, match=r"has not answered in 0\.2 s"):
        reach(f"{scheme}127.0.0.1:{server.getsockname()[1]}")


def test_who_answers_the_greeting_is_there(server: socket) -> None:
    heard: list[bytes] = []

    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            heard.append(connection.recv(len(GREETING)))
            connection.sendall(b"x")

    thread = Thread(target=answer)
    thread.start()
    reach(f"127.0.0.1:{server.getsockname()[1]}")
    thread.join()
    assert heard == [GREETING]
