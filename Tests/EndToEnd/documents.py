"""The commands of `Docs/`, to be run as they stand there.

Every block marked `sh` is run, in the order of the page. A test says what it replaces in them, and each replacement
must have something to replace.
"""

import re

from machine import REPOSITORY
from proxies import replaced


def commands(page: str, replacements: dict[str, str]) -> list[str]:
    """The blocks of a page."""
    return blocks("sh", replaced((REPOSITORY / page).read_text(), replacements))


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
