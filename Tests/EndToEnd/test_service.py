"""The systemd unit of `Deploy/`: how little it may do, and that the broker needs no more."""

import functools
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from broker import Broker, Installation, binary
from proxies import DEPLOY

UNIT = DEPLOY / "cloakroom.service"

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def setting(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


@needs_systemd
def test_its_exposure_is_below_two():
    """Of ten; systemd-analyze counts tenths."""
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", UNIT],
        capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@needs_systemd
def test_systemd_understands_every_line():
    """It leaves out what it does not know, and says so on standard error."""
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", UNIT], capture_output=True, text=True,
        env={"SYSTEMD_UNIT_PATH": f"{DEPLOY}:", "PATH": "/usr/bin:/bin"})
    said = [line for line in result.stderr.splitlines() if "is not executable" not in line]
    assert [line for line in said if "cloakroom.service" in line] == []


def wrapped(monkeypatch: pytest.MonkeyPatch, folder: Path, *command: str) -> None:
    """Brokers are started by that command."""
    script = folder / "cloakroom"
    quoted = " ".join(f"'{word}'" for word in command)
    script.write_text(f"#!/bin/sh\nexec {quoted} '{binary()}' \"$@\"\n")
    script.chmod(0o755)
    monkeypatch.setenv("CLOAKROOM_BINARY", str(script))


@functools.cache
def system_calls(name: str) -> frozenset[str]:
    """What a filter set of systemd's holds, sets in it opened."""
    text = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager", name], capture_output=True, text=True, check=True).stdout
    words = {line.strip() for line in text.splitlines()[1:] if line.strip() and not line.strip().startswith("#")}
    return frozenset().union(*({word} if word[0] != "@" else system_calls(word) for word in words))


# What a broker tries without needing it: libdispatch to set the priority of threads, and SQLite, as root alone, to give
# its files the owner of the database. The unit answers EPERM.
DENIED = ("setpriority", "fchown")


@needs_systemd
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_a_broker_makes_no_system_call_that_the_unit_forbids(installation: Installation, monkeypatch, tmp_path):
    """From start to stop, with a flow between."""
    summary = tmp_path / "calls"
    trial = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True)
    if trial.returncode != 0:
        pytest.skip("this machine lets nobody trace")
    wrapped(
        monkeypatch, tmp_path, "strace", "-D", "-f", "-c", "-U", "name", "-o", str(summary),
        "-e", f"inject={','.join(DENIED)}:error=EPERM")
    with Broker(installation) as broker:
        broker.credentials()
    called = set(re.findall(r"^([a-z_0-9]+)\s*$", summary.read_text(), re.MULTILINE)) - {"syscall", "total"}
    assert {"openat", "fdatasync"} <= called
    allowed: frozenset[str] = frozenset()
    for words in setting("SystemCallFilter"):
        sets = frozenset().union(*(system_calls(word) for word in words.lstrip("~").split()))
        allowed = allowed - sets if words.startswith("~") else allowed | sets
    assert called - allowed <= set(DENIED)


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_what_a_broker_reads_of_proc_is_not_hidden_from_it(installation: Installation, monkeypatch, tmp_path):
    """`ProcSubset=pid` would leave what belongs to processes. `/metrics` tells all that it found."""
    opened = tmp_path / "opened"
    if subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody trace")
    wrapped(monkeypatch, tmp_path, "strace", "-D", "-f", "-e", "trace=openat,open", "-o", str(opened))
    with Broker(installation) as broker:
        figures = broker.client.get("/metrics").text
    assert "process_start_time_seconds" in figures
    outside = set(re.findall(r'"(/proc/(?!self/|[0-9])[^"]*)"', opened.read_text()))
    assert not outside or setting("ProcSubset") != ["pid"], outside


PR_SET_NO_NEW_PRIVS, PR_SET_MDWE = 38, 65
CONFINED = f"""
import ctypes, os, sys
prctl = ctypes.CDLL(None, use_errno=True).prctl
os.umask(0o077)
if prctl({PR_SET_NO_NEW_PRIVS}, 1, 0, 0, 0) or prctl({PR_SET_MDWE}, 1, 0, 0, 0): sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_broker_runs_where_no_memory_becomes_executable(installation: Installation, monkeypatch, tmp_path):
    """`MemoryDenyWriteExecute`, `NoNewPrivileges` and `UMask`, by the kernel's own switches."""
    trial = subprocess.run([sys.executable, "-c", CONFINED, "/bin/true"])
    if trial.returncode == 77:
        pytest.skip("the kernel has no PR_SET_MDWE (Linux 6.3)")
    confined = tmp_path / "confined.py"
    confined.write_text(CONFINED)
    wrapped(monkeypatch, tmp_path, sys.executable, str(confined))
    with Broker(installation) as broker:
        broker.credentials()
        status = Path(f"/proc/{broker.process.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status and "Umask:\t0077" in status
