"""A PostgreSQL server of the tests' own, from Debian's package, and a proxy between it and brokers."""

import atexit
import functools
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from broker import eventually, free_port


def programs() -> Path:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not versions:
        pytest.fail("PostgreSQL is not installed: .ci/packages test")
    return versions[-1].parent


class PostgresServer:
    """As a user that is not root, in a folder of its own, at a socket and a loopback port."""

    SETTINGS = {
        "max_connections": "100", "shared_buffers": "64MB", "listen_addresses": "'127.0.0.1'",
        "log_statement": "all", "log_min_duration_statement": "0", "log_parameter_max_length": "-1",
        "log_parameter_max_length_on_error": "-1",
    }

    def __init__(self, settings: dict[str, str] | None = None, place: Path | None = None) -> None:
        # Not in pytest's own folder, which is for one user alone.
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
        self.folder = folder = Path(tempfile.mkdtemp(prefix="cloakroom-pg-", dir=place or memory))
        self.port = free_port()
        own(folder)
        self._make()
        with (folder / "data/postgresql.conf").open("a") as file:
            for name, value in (self.SETTINGS | {"port": str(self.port)} | (settings or {})).items():
                file.write(f"{name} = {value}\n")
            file.write(f"unix_socket_directories = '{folder}'\n")
        self.process: subprocess.Popen | None = None

    def _make(self) -> None:
        self._run("initdb", "-D", f"{self.folder}/data", "-U", "owner", "--auth", "trust", "-E", "UTF8", "--locale",
                  "C.UTF-8", "--no-sync")

    def _as_user(self, name: str, *arguments: str) -> list[str]:
        return as_user(str(programs() / name), *arguments)

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(self._as_user(name, *arguments), capture_output=True, text=True, cwd="/", timeout=60)
        assert done.returncode == 0, done.stderr

    def start(self) -> "PostgresServer":
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self._as_user("postgres", "-D", f"{self.folder}/data"), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd="/")
        eventually(lambda: self.query("SELECT 1", check=False) == "1", 30, "the server takes connections")
        return self

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT is a fast stop, SIGQUIT an immediate one: as after a crash."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    def close(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def query(self, sql: str, database: str = "postgres", check: bool = True) -> str:
        done = subprocess.run(
            ["psql", "-h", str(self.folder), "-p", str(self.port), "-U", "owner", "-XAtqc", sql, database],
            capture_output=True, text=True, timeout=30)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()

    def set(self, name: str, value: str | None) -> None:
        """A setting that a running server takes; `None` takes back what was set so."""
        self.query(f"ALTER SYSTEM SET {name} = '{value}'" if value is not None else f"ALTER SYSTEM RESET {name}")
        self.reload()

    def let_in(self, *lines: str) -> None:
        """Who may connect, and how, besides the tests themselves."""
        lines = ("local all owner trust", "local replication owner trust", *lines)
        (self.folder / "data/pg_hba.conf").write_text("\n".join(lines) + "\n")
        self.reload()

    def reload(self) -> None:
        before = self.query("SELECT pg_conf_load_time()")
        self.query("SELECT pg_reload_conf()")
        eventually(lambda: self.query("SELECT pg_conf_load_time()") != before, 10, "the settings are read")

    def database(self) -> str:
        name = f"test_{uuid.uuid4().hex}"
        self.query(f"CREATE DATABASE {name}")
        return name

    def files(self, database: str) -> dict[str, bytes]:
        """Those of a database, and the write-ahead log, as who has the disk sees them."""
        self.query("CHECKPOINT")
        number = self.query(f"SELECT oid FROM pg_database WHERE datname = '{database}'")
        folders = [self.folder / "data/base" / number, self.folder / "data/pg_wal"]
        return {
            f"{path.parent.name}/{path.name}": path.read_bytes()
            for folder in folders for path in folder.iterdir() if path.is_file()}

    def url(self, database: str, port: int | None = None, user: str = "owner") -> str:
        """By TCP where a port is given, as a proxy has one; else by the socket."""
        if port:
            return f"postgres://{user}@127.0.0.1:{port}/{database}"
        return f"postgres://{user}@{quote(str(self.folder), safe='')}:{self.port}/{database}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


class Standby(PostgresServer):
    """Streams from another server, as a copy of it."""

    def __init__(self, primary: PostgresServer) -> None:
        self.primary = primary
        super().__init__()

    def _make(self) -> None:
        self._run("pg_basebackup", "-h", str(self.primary.folder), "-p", str(self.primary.port), "-U", "owner", "-D",
                  f"{self.folder}/data", "--write-recovery-conf", "--wal-method", "stream", "--checkpoint", "fast",
                  "--no-sync")

    def start(self) -> "Standby":
        super().start()
        eventually(lambda: self.primary.query("SELECT state FROM pg_stat_replication") == "streaming", 20, "it streams")
        return self

    def promote(self) -> None:
        assert self.query("SELECT pg_promote(true, 30)") == "t"


def as_user(*command: str) -> list[str]:
    """Neither PostgreSQL nor PgBouncer runs as root."""
    become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
    return [*(become if os.getuid() == 0 else []), *command]


def own(path: Path) -> None:
    if os.getuid() == 0:
        shutil.chown(path, "postgres", "postgres")


class PgBouncer:
    """Debian's pool between broker and server."""

    def __init__(self, server: PostgresServer, mode: str, port: int | None = None, **settings: str | int) -> None:
        self.port = port or free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="pgbouncer-", dir=server.folder))
        settings: dict = {
            "listen_addr": "127.0.0.1", "listen_port": self.port, "unix_socket_dir": "", "auth_type": "any",
            "pool_mode": mode, "logfile": f"{self.folder}/log", "default_pool_size": 20} | settings
        lines = ["[databases]", f"* = host={server.folder} port={server.port} user=owner", "[pgbouncer]"]
        lines += [f"{name} = {value}" for name, value in settings.items()]
        (self.folder / "pgbouncer.ini").write_text("\n".join(lines) + "\n")
        own(self.folder)
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        if not program:
            pytest.fail("PgBouncer is not installed: .ci/packages test")
        self.process = subprocess.Popen(
            as_user(program, "--quiet", f"{self.folder}/pgbouncer.ini"), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        eventually(self._listens, 10, "it takes connections")

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.log
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)


@functools.cache
def shared() -> PostgresServer:
    """One for a whole run; it ends with it."""
    running = PostgresServer(
        {"max_connections": "500", "log_statement": "none", "log_min_duration_statement": "-1"}).start()
    atexit.register(running.close)
    return running


class Between:
    """Stands between its clients and the server, each connection in a thread of its own."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._begin, args=(client,), daemon=True).start()

    def _begin(self, client: socket.socket) -> None:
        if self._refuses():
            return client.close()
        try:
            server = socket.create_connection(("127.0.0.1", self.server.port))
        except OSError:
            return cut(client)
        self._serve(client, server)

    def _refuses(self) -> bool:
        return False

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        raise NotImplementedError


class Answers:
    """Passes on what the server answers, until told to swallow it."""

    def __init__(self, server: socket.socket, client: socket.socket) -> None:
        self.swallows = threading.Event()
        self.committed = threading.Event()
        """The server answered a COMMIT that was swallowed."""
        threading.Thread(target=self._pass, args=(server, client), daemon=True).start()

    def _pass(self, server: socket.socket, client: socket.socket) -> None:
        before = b""
        try:
            while data := server.recv(65536):
                if not self.swallows.is_set():
                    client.sendall(data)
                elif b"COMMIT\0" in before + data:
                    self.committed.set()
                before = data[-6:]
        except OSError:
            pass
        cut(client)


class CommitThief(Between):
    """Once told to, it lets the next COMMIT through to the server, and nothing of what the server answers to it: the
    connection is cut in its place."""

    holds_after = False

    def __init__(self, server: PostgresServer) -> None:
        self.armed = threading.Event()
        self.holds = threading.Event()
        """While set, new connections are refused: nobody can ask what became of the COMMIT."""
        self.stolen = 0
        super().__init__(server)

    def _refuses(self) -> bool:
        return self.holds.is_set()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        answers = Answers(server, client)
        try:
            while data := client.recv(65536):
                if self.armed.is_set() and has_spend_and_commit(data):
                    self.armed.clear()
                    self.stolen += 1
                    answers.swallows.set()
                    if self.holds_after:
                        self.holds.set()
                    server.sendall(data)
                    # No answer comes to one that waits for its standby.
                    answers.committed.wait(1)
                    break
                server.sendall(data)
        except OSError:
            pass
        cut(client)
        cut(server)


class Proxy(Between):
    """Stands between broker and server: it delays, freezes or cuts as a test says."""

    CHUNK = 65536

    def __init__(self, server: PostgresServer) -> None:
        self.delay = 0.0
        """Seconds that each part of what passes is late, in both directions."""
        self.thawed = threading.Event()
        """While it is not set nothing passes, and nobody is told: as with a machine that is gone from the network."""
        self.thawed.set()
        self.passed = {"to": 0, "from": 0}
        """Bytes to and from the server."""
        self.cuts = 0
        self._cut: tuple[str, int] | None = None
        self._lock = threading.Lock()
        super().__init__(server)

    def cut_after(self, direction: str, count: int) -> None:
        """The connection on which so many more bytes have passed is cut right behind them."""
        with self._lock:
            self._cut = (direction, self.passed[direction] + count)

    def is_cut(self) -> bool:
        with self._lock:
            return self._cut is None

    def close(self) -> None:
        self.thawed.set()
        super().close()

    def _refuses(self) -> bool:
        self.thawed.wait()
        return False

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._carry, args=(server, client, "from"), daemon=True).start()
        self._carry(client, server, "to")

    def _carry(self, source: socket.socket, sink: socket.socket, direction: str) -> None:
        try:
            while data := source.recv(self.CHUNK):
                if self.delay:
                    threading.Event().wait(self.delay)
                self.thawed.wait()
                whole = self._count(data, direction)
                sink.sendall(data[:whole])
                if whole < len(data):
                    break
        except OSError:
            pass
        cut(source)
        cut(sink)

    def _count(self, data: bytes, direction: str) -> int:
        """How much of it may pass."""
        with self._lock:
            before = self.passed[direction]
            if self._cut and self._cut[0] == direction and before + len(data) > self._cut[1]:
                whole = self._cut[1] - before
                self._cut = None
                self.cuts += 1
                return whole
            self.passed[direction] = before + len(data)
            return len(data)


class CommitWatch(Between):
    """Once armed, the next COMMIT has `strike` called: before it goes on to the server, which then never gets it, or after
    the server has done it, and nothing of that comes back."""

    def __init__(self, server: PostgresServer) -> None:
        self.strike: Callable[[], None] | None = None
        self.lets_through = False
        super().__init__(server)

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        answers = Answers(server, client)
        before = b""
        try:
            while data := client.recv(65536):
                # It may have come in two pieces.
                is_commit, before = b"COMMIT\0" in before + data, data[-6:]
                if self.strike and is_commit:
                    strike, self.strike = self.strike, None
                    answers.swallows.set()
                    if self.lets_through:
                        server.sendall(data)
                        answers.committed.wait(10)
                    strike()
                    break
                server.sendall(data)
        except OSError:
            pass
        cut(client)
        cut(server)


def has_spend_and_commit(data: bytes) -> bool:
    return b"COMMIT\0" in data and b"spend\0" in data


def cut(connection: socket.socket) -> None:
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()
