"""Reading what people write for us as TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from nasbench_suite.errors import refused
from nasbench_suite.files.unpacking import need_regular_file

_LARGEST = 1 << 20  # bytes; what people write is a thousandth of it
_MOST_DOTS = 200  # of a line: tomllib takes memory by the square of a key's parts


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """What a TOML file says.

    Args:
        path: the file.
        what: what it is, as an error begins, such as ``Labels file``.

    Raises:
        SuiteError: it cannot be read, is no TOML, or larger or deeper than anybody writes.
    """
    need_regular_file(path, _LARGEST)
    sentence = f"{what} {path} cannot be read ({{reason}})."
    with refused(sentence, OSError, ValueError, RecursionError):
        return parse_toml(path.read_text("utf-8"))


def parse_toml(text: str) -> dict[str, Any]:
    """What a text in TOML says.

    Raises:
        ValueError: it is no TOML, or a line has more dots than anybody writes.
        RecursionError: it is deeper than can be read.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") > _MOST_DOTS:
            raise ValueError(f"line {number} has more than {_MOST_DOTS} dots")
    return tomllib.loads(text)
