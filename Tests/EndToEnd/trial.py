"""`cloakroom sources try` at work: what it prints, and the browser that its operator has."""

import signal
import socket
import subprocess
import threading
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from broker import binary, environment


class Trial:
    """The process. Its lines are kept as they come, both outputs apart."""

    def __init__(self, config: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.temporary = config.parent / "temporary"
        self.temporary.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [binary(), "sources", "try", *arguments, "--config", str(config)],
            env=environment({"TMPDIR": str(self.temporary)} | (env or {})),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/")
        self.out: list[str] = []
        self.err: list[str] = []
        self._changed = threading.Condition()
        self._open = 2
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream, lines: list[str]) -> None:
        for line in stream:
            with self._changed:
                lines.append(line.strip())
                self._changed.notify_all()
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def wait_for(self, beginning: str, within: float = 20) -> str:
        """The first line, of either output, that begins so."""
        def found() -> list[str]:
            return [line for line in self.out + self.err if line.startswith(beginning)]

        with self._changed:
            self._changed.wait_for(lambda: found() or not self._open, within)
        assert found(), f"no line {beginning!r} in {within} s; {self.text}"
        return found()[0]

    def address(self) -> str:
        """What the operator is told to open; the callback is served by then."""
        address = self.wait_for("http")
        self.wait_for("waiting for")
        return address

    def end(self, within: float = 20) -> int:
        status = self.process.wait(within)
        for reader in self._readers:
            reader.join(within)
        return status

    @property
    def text(self) -> str:
        return "\n".join(self.out + self.err)

    def __enter__(self) -> "Trial":
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)


def open_page(address: str) -> httpx.Response:
    """As a browser opens it, to the last page."""
    return httpx.get(address, follow_redirects=True, trust_env=False, timeout=20)


def listening(port: int) -> socket.socket:
    """Something that is no broker, at a broker's port."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", port))
    holder.listen()
    return holder


def is_free(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", urlsplit(url).port)) != 0
