"""The manual page names every command and option that the binary has."""

import functools
import os
import re
import shutil
import subprocess

import pytest

from broker import run
from proxies import DEPLOY

PAGE = DEPLOY / "cloakroom.1"


def commands(*path: str) -> dict[tuple[str, ...], str]:
    """What `--help` says of each command that does something."""
    text = run(*path, "--help").stdout
    _, found, names = text.partition("\nSUBCOMMANDS:\n")
    if not found:
        return {path: text}
    tree: dict[tuple[str, ...], str] = {}
    for name in re.findall(r"^  ([a-z][a-z-]*)(?: |$)", names, re.MULTILINE):
        tree |= commands(*path, name)
    return tree


@functools.cache
def page() -> str:
    """As a reader sees it, in one line."""
    if not shutil.which("man"):
        pytest.skip("man is not installed")
    shown = subprocess.run(
        ["man", "--warnings", "--local-file", PAGE], capture_output=True, text=True,
        env=os.environ | {"MANWIDTH": "1000", "MANPAGER": "cat", "LC_ALL": "C.UTF-8"})
    assert shown.stderr == ""
    return " ".join(re.sub(".\b", "", shown.stdout).replace("‐", "-").split())


def test_every_command_is_in_the_manual():
    tree = commands()
    assert len(tree) > 10
    assert [path for path in tree if f"cloakroom {' '.join(path)}" not in page()] == []


def test_every_option_is_in_the_manual():
    options = {option for text in commands().values() for option in re.findall(r"--[a-z][a-z-]*", text)}
    assert sorted(option for option in options if option not in page()) == []
