"""A network of a test's own, in which public addresses are this machine."""

import ctypes
import os
import subprocess
import threading
from collections.abc import Callable

import pytest

PUBLIC = "8.8.4.4"  # a public address by every list
CLONE_NEWNET = 0x40000000


def in_own_network(work: Callable[[], None]) -> None:
    """Runs on a thread that has nothing but loopback and one public address; threads and programs it starts inherit that."""
    if os.getuid() != 0:
        pytest.skip("a network of one's own needs root")
    failures: list[BaseException] = []

    def run() -> None:
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
                pytest.skip("this machine gives nobody a network of their own")
            for command in (["ip", "link", "set", "lo", "up"], ["ip", "addr", "add", f"{PUBLIC}/32", "dev", "lo"]):
                subprocess.run(command, check=True)
            work()
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(180)
    assert not thread.is_alive(), "still running"
    if failures:
        raise failures[0]
