"""HTTP by hand: connections that send what no client would."""

import contextlib
import socket
import time
from collections.abc import Iterator

Answer = tuple[int, dict[str, str], bytes]


def connection(port: int, receive_buffer: int | None = None) -> socket.socket:
    made = socket.socket()
    if receive_buffer:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    made.settimeout(20)
    made.connect(("127.0.0.1", port))
    return made


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    made = connection(port)
    with made:
        yield made


def read_all(sock: socket.socket, within: float = 20) -> bytes:
    """Until the broker closes; a reset is its end too."""
    deadline = time.monotonic() + within
    got = b""
    while True:
        sock.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            part = sock.recv(1 << 16)
        except ConnectionResetError:
            return got
        if not part:
            return got
        got += part


def is_closed_within(sock: socket.socket, seconds: float) -> bool:
    try:
        read_all(sock, seconds)
    except TimeoutError:
        return False
    return True


def answers(raw: bytes) -> list[Answer]:
    """All answers in what came over one connection; each has a Content-Length."""
    found = []
    while raw:
        head, separator, rest = raw.partition(b"\r\n\r\n")
        assert separator, raw
        status, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        length = int(fields.get("content-length", "0"))
        found.append((int(status.split(" ")[1]), fields, rest[:length]))
        raw = rest[length:]
    return found


def exchange(port: int, request: bytes) -> list[Answer]:
    """What comes back over a connection until the broker closes it."""
    with connected(port) as sock:
        sock.sendall(request)
        return answers(read_all(sock))
