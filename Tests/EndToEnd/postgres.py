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

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        # Not in pytest's own folder, which is for one user alone.
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
        self.folder = folder = Path(tempfile.mkdtemp(prefix="cloakroom-pg-", dir=memory))
        self.port = free_port()
        if os.getuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        self._run("initdb", "-D", f"{folder}/data", "-U", "owner", "--auth", "trust", "-E", "UTF8", "--locale", "C.UTF-8",
                  "--no-sync")
        with (folder / "data/postgresql.conf").open("a") as file:
            for name, value in (self.SETTINGS | {"port": str(self.port)} | (settings or {})).items():
                file.write(f"{name} = {value}\n")
            file.write(f"unix_socket_directories = '{folder}'\n")
        self.process: subprocess.Popen | None = None

    def _as_user(self, name: str, *arguments: str) -> list[str]:
        command = [str(programs() / name), *arguments]
        become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
        return (become if os.getuid() == 0 else []) + command

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

    def database(self) -> str:
        name = f"test_{uuid.uuid4().hex}"
        self.query(f"CREATE DATABASE {name}")
        return name

    def url(self, database: str, port: int | None = None, user: str = "owner") -> str:
        """By TCP where a port is given, as a proxy has one; else by the socket."""
        if port:
            return f"postgres://{user}@127.0.0.1:{port}/{database}"
        return f"postgres://{user}@{quote(str(self.folder), safe='')}:{self.port}/{database}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@functools.cache
def shared() -> PostgresServer:
    """One for a whole run; it ends with it."""
    running = PostgresServer(
        {"max_connections": "500", "log_statement": "none", "log_min_duration_statement": "-1"}).start()
    atexit.register(running.close)
    return running


class CommitThief:
    """Stands between broker and server. Once told to, it lets the next COMMIT through to the server, and nothing of what
    the server answers to it: the connection is cut in its place."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.armed = threading.Event()
        self.holds = threading.Event()
        """While set, new connections are refused: nobody can ask what became of the COMMIT."""
        self.stolen = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.holds.is_set():
                client.close()
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.server.port))
        except OSError:
            client.close()
            return
        swallowing = threading.Event()

        def answers() -> None:
            try:
                while data := server.recv(65536):
                    if not swallowing.is_set():
                        client.sendall(data)
            except OSError:
                pass
            cut(client)

        threading.Thread(target=answers, daemon=True).start()
        try:
            while data := client.recv(65536):
                if self.armed.is_set() and has_spend_and_commit(data):
                    self.armed.clear()
                    self.stolen += 1
                    swallowing.set()
                    if self.holds_after:
                        self.holds.set()
                    server.sendall(data)
                    # The server has done it by then.
                    threading.Event().wait(0.3)
                    break
                server.sendall(data)
        except OSError:
            pass
        cut(client)
        cut(server)

    holds_after = False


def has_spend_and_commit(data: bytes) -> bool:
    return b"COMMIT\0" in data and b"spend\0" in data


def cut(connection: socket.socket) -> None:
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()
