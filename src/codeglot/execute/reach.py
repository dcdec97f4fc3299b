"""Does anybody answer at the address of a cluster?"""

from socket import create_connection

ANSWER_S = 15.0
"""Seconds in which whoever listens at the address has to say something."""
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
"""How HTTP/2, which Ray speaks, begins: its preface and empty settings."""


def reach(address: str) -> None:
    """Fail soon where nobody listens, or answers; Ray itself tries for minutes.

    Raises:
        ValueError: If the address has no form that Ray takes.
        OSError: If nobody is there.
    """
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise ValueError("an address is 'auto', HOST:PORT or ray://HOST:PORT")
    with create_connection((host, int(port)), timeout=ANSWER_S) as connection:
        connection.sendall(GREETING)
        try:
            connection.recv(1)
        except TimeoutError:
            raise TimeoutError(f"something listens there, but has not answered in {ANSWER_S:g} s") from None
