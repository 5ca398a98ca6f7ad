"""The asset service's end-to-end tests: the real `cloakroom-assets` and `cloakroom` binaries, real sockets, real files.

They know the service by its contract alone. `CLOAKROOM_ASSETS_BINARY` says which binary; else it lies beside the broker's.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service import AssetInstallation, AssetService
from world import World


@pytest.fixture(scope="module")
def shared_world(folder: Path) -> Iterator[World]:
    running = World(folder / "broker")
    try:
        yield running.start()
    finally:
        running.close()


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """As the first test found it: no faults, nothing asked yet."""
    yield shared_world
    shared_world.restore()


@pytest.fixture(scope="module")
def shared_service(folder: Path, shared_world: World) -> Iterator[AssetService]:
    """One process for the whole module: its tests share no state but the process."""
    with AssetService(AssetInstallation(folder / "assets", shared_world)) as running:
        yield running


@pytest.fixture
def service(shared_service: AssetService, world: World) -> AssetService:
    return shared_service


@pytest.fixture
def another_service(tmp_path: Path, world: World) -> Iterator[Callable[..., AssetService]]:
    """Starts services with changed settings, each on a folder of its own; they end with the test."""
    started: list[AssetService] = []

    def start(changes: dict | None = None, name: str = "another", **options) -> AssetService:
        made = AssetService(AssetInstallation(tmp_path / name, world, changes), **options)
        started.append(made)
        return made.start()

    yield start
    for running in started:
        if running.process.poll() is None:
            running.kill()


@pytest.fixture
def installation(tmp_path: Path, world: World) -> AssetInstallation:
    """A folder of the test's own, for it to spoil."""
    return AssetInstallation(tmp_path / "installation", world)
