"""The commands of `Docs/`, to be run as they stand there.

Every block marked `sh` is run, in the order of the page. A test says what it replaces in them, and each replacement
must have something to replace.
"""

import re

from machine import REPOSITORY
from proxies import replaced


def commands(page: str, replacements: dict[str, str], section: str = "") -> list[str]:
    """The blocks of a page, or of one of its sections with what is below it."""
    text = (REPOSITORY / page).read_text()
    return blocks("sh", replaced(part(text, section) if section else text, replacements))


def part(text: str, section: str) -> str:
    [found] = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
