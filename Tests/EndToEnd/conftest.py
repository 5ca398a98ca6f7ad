"""End-to-end tests: the real `cloakroom` binary, real sockets, real files.

They know the product by its contract alone (Docs/Contract.md). `CLOAKROOM_BINARY` says which binary.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker import Broker, Installation
from machine import Machine, build_package
from provider import Provider
from strict_provider import StrictProvider


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several processes share the tests by their ids, of which Schemathesis makes one for all operations."""
    for item in items:
        if operation := getattr(item, "operation_label", None):
            item._id = item.id.with_params(operation)
    ids = Counter(item.nodeid for item in items)
    if twice := [name for name, count in ids.items() if count > 1]:
        raise pytest.UsageError(f"{twice[0]} is the id of more tests than one: some would not be run")


def pytest_collection_finish(session: pytest.Session) -> None:
    if not session.config.option.collectonly and not os.access(os.environ.get("CLOAKROOM_BINARY", ""), os.X_OK):
        raise pytest.UsageError("set CLOAKROOM_BINARY to a built cloakroom")


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    running = Provider()
    yield running
    running.close()


@pytest.fixture(scope="module")
def strict() -> Iterator[StrictProvider]:
    running = StrictProvider()
    yield running
    running.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cloakroom")


@pytest.fixture(scope="module")
def broker(folder: Path, provider: Provider) -> Iterator[Broker]:
    """One broker for the whole module: its tests share no state but the process."""
    with Broker(Installation(folder / "shared", provider)) as running:
        yield running


@pytest.fixture
def installation(tmp_path: Path, provider: Provider) -> Installation:
    """A folder of the test's own, for it to spoil."""
    return Installation(tmp_path / "installation", provider)


@pytest.fixture(scope="module")
def another_broker(folder: Path, provider: Provider) -> Iterator[Callable[..., Broker]]:
    """Starts brokers with changed settings; they stop with the module."""
    started: list[Broker] = []

    def start(name: str, changes: dict) -> Broker:
        installation = Installation(folder / name, provider, changes)
        running = Broker(installation).start()
        started.append(running)
        return running

    yield start
    for running in started:
        if running.process.poll() is None:
            running.stop()


@pytest.fixture(scope="module")
def package(folder: Path) -> Path:
    return build_package(folder / "deb")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    if os.getuid() != 0:
        pytest.skip("debootstrap needs root")
    if not shutil.which("debootstrap"):
        pytest.skip("debootstrap is not installed")
    tmp_path.chmod(0o755)
    running = Machine(tmp_path / "machine")
    yield running
    running.close()
