"""A web server on loopback that answers as its test says: rightly, wrongly, late or never. It remembers every request.

One event loop on a thread of its own: thousands of documents a second, and connections that hang cost nothing.
"""

import asyncio
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PATIENCE = 60  # seconds after which even what hangs gives up


@dataclass(frozen=True)
class Request:
    """One request that a server got."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The last value of each name."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query, keep_blank_values=True).items()}

    @property
    def bearer(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """The answering side of one connection, for answers that no server gives."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer

    async def send(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    def reset(self) -> None:
        """SO_LINGER 0: the peer sees a reset, not an end."""
        held = self.writer.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@dataclass
class Answer:
    """An answer as servers give it. `give` tells whether the connection may be used again."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain"
    headers: dict[str, str] = field(default_factory=dict)

    async def give(self, connection: Connection, request: Request) -> bool:
        body = b"" if request.method == "HEAD" else self.body
        fields = {"Content-Type": self.content_type, "Content-Length": str(len(self.body))} | self.headers
        if self.status in (204, 304):
            fields = dict(self.headers)
            body = b""
        lines = [f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in fields.items())]
        await connection.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return True


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(value).encode(), "application/json", {n.replace("_", "-"): v for n, v in headers.items()})


def busy(status: int = 429, **headers: str) -> Answer:
    """`busy(429, retry_after="1")`."""
    return as_json({"message": "later"}, status, **headers)


def redirect(location: str, status: int = 302) -> Answer:
    return Answer(status, b"", headers={"Location": location})


class Reset(Answer):
    async def give(self, connection: Connection, request: Request) -> bool:
        connection.reset()
        return False


class Closed(Answer):
    """An end without a word."""

    async def give(self, connection: Connection, request: Request) -> bool:
        return False


class Hanging(Answer):
    async def give(self, connection: Connection, request: Request) -> bool:
        await asyncio.sleep(PATIENCE)
        return False


@dataclass
class Cut(Answer):
    """Fewer bytes than Content-Length promises."""

    async def give(self, connection: Connection, request: Request) -> bool:
        head = f"HTTP/1.1 200 X\r\nContent-Type: {self.content_type}\r\nContent-Length: {len(self.body) + 999}\r\n\r\n"
        await connection.send(head.encode() + self.body)
        return False


@dataclass
class Raw(Answer):
    """Bytes that may be no HTTP."""

    async def give(self, connection: Connection, request: Request) -> bool:
        await connection.send(self.body)
        return False


@dataclass
class Endless(Answer):
    """A body of so many bytes, made as it is read; `sent` tells how far the peer let it come."""

    size: int = 10 << 30
    sent: int = 0
    block: bytes = b"word " * 13107

    async def give(self, connection: Connection, request: Request) -> bool:
        await connection.send(f"HTTP/1.1 200 X\r\nContent-Type: {self.content_type}\r\nConnection: close\r\n\r\n".encode())
        while self.sent < self.size:
            await connection.send(self.block)
            self.sent += len(self.block)
            await asyncio.sleep(0)
        return False


@dataclass
class Dripping(Answer):
    """One byte at a time: every read succeeds, the answer never ends."""

    async def give(self, connection: Connection, request: Request) -> bool:
        await connection.send(f"HTTP/1.1 200 X\r\nContent-Type: {self.content_type}\r\nContent-Length: 100000\r\n\r\n".encode())
        for _ in range(PATIENCE * 5):
            await connection.send(b"x")
            await asyncio.sleep(0.2)
        return False


class Gate(Answer):
    """Holds requests until it is opened; then they are answered as usual."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0
        self._opened = threading.Event()
        self._came = threading.Condition()

    def arrived(self, count: int = 1, within: float = 20) -> None:
        with self._came:
            assert self._came.wait_for(lambda: self.waiting >= count, within), f"{self.waiting} of {count} came in {within} s"

    def open(self) -> None:
        self._opened.set()

    async def wait(self) -> None:
        with self._came:
            self.waiting += 1
            self._came.notify_all()
        until = time.monotonic() + PATIENCE
        while not self._opened.is_set() and time.monotonic() < until:
            await asyncio.sleep(0.005)


@dataclass
class Rule:
    """What comes in place of the usual answer, for requests whose target holds a text."""

    text: str
    answers: list[Answer]
    forever: bool

    def next(self, request: Request) -> Answer | None:
        if self.text not in unquote(request.target) or not self.answers:
            return None
        return self.answers[0] if self.forever else self.answers.pop(0)


class Server:
    """Answers by `answer`, unless a rule of the test comes first."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.calls: list[Request] = []
        self.complaints: list[str] = []  # of requests that no such server understands
        self.most_at_once = 0
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._busy = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._socket = socket.create_server((host, 0), backlog=1024)
        self.host, self.port = self._socket.getsockname()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def answer(self, request: Request) -> Answer:
        return as_json({"message": "Not Found"}, 404)

    # What a test says and asks.

    def next(self, text: str, *answers: Answer) -> None:
        """The next requests whose target holds the text are answered so, one after the other."""
        with self._lock:
            self._rules.insert(0, Rule(text, list(answers), forever=False))

    def always(self, text: str, answer: Answer) -> None:
        with self._lock:
            self._rules.insert(0, Rule(text, [answer], forever=True))

    def hold(self, text: str) -> Gate:
        gate = Gate()
        self.always(text, gate)
        return gate

    def usual(self) -> None:
        """Forgets the rules."""
        with self._lock:
            self._rules.clear()

    def calls_to(self, text: str) -> list[Request]:
        with self._lock:
            return [call for call in self.calls if text in unquote(call.target)]

    def forget(self) -> None:
        """As if nothing had been asked yet."""
        with self._lock:
            self.calls.clear()
            self.most_at_once = 0

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    # The loop.

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, sock=self._socket, limit=1 << 20))
        self._loop.run_forever()
        server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while request := await self._read(reader, writer):
                if not await self._answer(request, Connection(writer)):
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a caller that hangs up is what many tests are about
        except asyncio.CancelledError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Request(method, target, headers, body)

    async def _answer(self, request: Request, connection: Connection) -> bool:
        with self._lock:
            self.calls.append(request)
            self._busy += 1
            self.most_at_once = max(self.most_at_once, self._busy)
            rule = next((answer for rule in self._rules if (answer := rule.next(request))), None)
        try:
            if isinstance(rule, Gate):
                await rule.wait()
                rule = None
            given = rule or self._usual(request)
        finally:
            # Before the answer: who has read it may send the next request before this task goes on.
            with self._lock:
                self._busy -= 1
        return await given.give(connection, request) and request.headers.get("connection", "").lower() != "close"

    def _usual(self, request: Request) -> Answer:
        try:
            return self.answer(request)
        except Exception as fault:
            self.complaints.append(f"{request.method} {request.target}: {fault!r}")
            return as_json({"message": "this test's server does not know such a request"}, 400)


class Scripted(Server):
    """Answers by a function of the test's."""

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self.answer = answer
        super().__init__()
