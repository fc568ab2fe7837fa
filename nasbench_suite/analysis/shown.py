"""Frames of pandas with more columns than a terminal has room for, and what is printed of them.

Pandas puts dots in the place of columns that do not fit, which here are the figures. Such a frame
prints the columns that matter, a task at a time, and names the others.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from html import escape
from typing import Any

import numpy as np
import pandas as pd

_VERDICTS = {"best", "worse", "equivalent"}


class Shown(pd.DataFrame):
    """A frame that prints its main columns; all are there, and rows chosen of it print alike.

    Attributes:
        main: the columns that are printed. ``verdict`` is made of ``best``, ``worse`` and
            ``equivalent``.
        said: columns that are the same for all rows of a task, said beside its name.
    """

    _metadata = ["main", "said"]  # noqa: RUF012 (what pandas looks for)
    main: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def _constructor(self) -> type[Shown]:
        return Shown

    def __repr__(self) -> str:
        if not self._can_be_shown:
            return repr(pd.DataFrame(self))
        width = shutil.get_terminal_size().columns
        parts = [
            "\n".join(
                [
                    *textwrap.wrap(head, width),
                    _ranged(part).to_string(line_width=width, **_how(part)),
                ]
            )
            for head, part in self._parts()
        ]
        further = textwrap.wrap(self._further(), width, break_on_hyphens=False)
        return "\n\n".join([*parts, "\n".join(further)]).strip()

    def _repr_html_(self) -> str:
        if not self._can_be_shown:
            return str(pd.DataFrame(self).to_html(notebook=True, **_most(len(self))))
        parts = [
            f"<p>{escape(head)}</p>{part.to_html(notebook=True, **_how(part))}"
            for head, part in self._parts()
        ]
        return f"{''.join(parts)}<p>{escape(self._further())}</p>"

    @property
    def _can_be_shown(self) -> bool:
        """Whether it has rows and all that is printed, which a choice of columns need not have."""
        needed = {*self.main, *self.said} - {"verdict"}
        return bool(self.main) and len(self) > 0 and needed <= set(self.columns)

    def _parts(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """What is said above the rows of each task, and their main columns."""
        frame = pd.DataFrame(self)
        if set(frame.columns) >= _VERDICTS:
            frame = frame.assign(verdict=_verdicts(frame))
        columns = [name for name in self.main if name in frame.columns]
        if "task" not in frame.columns:
            yield "", frame[columns]
            return
        for task, part in frame.groupby("task", sort=False):
            said = [f"{name} {part[name].iloc[0]}" for name in self.said if part[name].iloc[0]]
            yield ", ".join([str(task), *said]), part[columns]

    def _further(self) -> str:
        told = {"task", *self.main, *self.said}
        left = [str(name) for name in self.columns if name not in told]
        return f"Further columns: {', '.join(left)}." if left else ""


def shown(frame: pd.DataFrame, main: str, said: str = "") -> Shown:
    """A frame that prints some of its columns, given as words; see ``Shown``."""
    made = Shown(frame)
    made.main, made.said = tuple(main.split()), tuple(said.split())
    return made


def _how(part: pd.DataFrame) -> dict[str, Any]:
    """How rows are written."""
    return {"index": False, "float_format": _number, "na_rep": "-", **_most(len(part))}


def _most(rows: int) -> dict[str, Any]:
    """Of many rows as many as pandas shows."""
    most = pd.get_option("display.max_rows")
    cut = most is not None and 0 < most < rows
    shown = pd.get_option("display.min_rows") if cut else None
    return {"max_rows": shown, "show_dimensions": cut}


def _number(value: float) -> str:
    return f"{value:#.4g}".rstrip(".") if abs(value) < 1e4 else f"{value:.0f}"


def _ranged(part: pd.DataFrame) -> pd.DataFrame:
    """Texts and their headings begin below each other, as figures end."""
    names = [name for name in part.columns if not pd.api.types.is_numeric_dtype(part[name])]
    texts = {name: part[name].map(str) for name in names}
    widths = {name: max(len(name), int(text.str.len().max())) for name, text in texts.items()}
    padded = part.assign(**{name: text.str.ljust(widths[name]) for name, text in texts.items()})
    return padded.rename(columns={name: name.ljust(width) for name, width in widths.items()})


def _verdicts(frame: pd.DataFrame) -> Any:
    kinds = [frame[name].astype(bool) for name in ("best", "worse", "equivalent")]
    verdicts = np.select(kinds, ["best", "worse", "equivalent"], "not distinguished")
    same = frame.get("same_as")
    return (
        verdicts
        if same is None
        else np.where(same.notna(), "same as " + same.astype(str), verdicts)
    )


__all__ = ["Shown", "shown"]
