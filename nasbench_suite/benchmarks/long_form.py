"""Tables in long form: a row for each architecture and data set, metric, split or seed."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from nasbench_suite.benchmarks.columns import infer_facts
from nasbench_suite.errors import SuiteError

if TYPE_CHECKING:
    import pandas as pd

_MOST_LABELS = 3
_NAMES_NOTHING = ("value", "values", "figure")


def refuse_long_form(
    path: Path, frame: pd.DataFrame, architectures: str, numbers: Collection[str]
) -> None:
    """Refuse a table in long form, with the lines that turn it into one that is read.

    It is one of several architectures, where most have several rows, that differ in their figures
    and that one or a few columns of labels tell apart.

    Args:
        path: the file, for the message.
        frame: its table.
        architectures: the column of these.
        numbers: the columns of numbers.

    Raises:
        SuiteError: it is such a table.
    """
    cells = frame[architectures].astype(str)
    counts = cells.value_counts()
    if len(counts) == 1 or 2 * int((counts > 1).sum()) <= len(counts):
        return
    for labels in _labels(frame.assign(**{architectures: cells}), architectures, counts.max()):
        figures = [
            name
            for name in numbers
            if name not in labels and frame[name].groupby(cells).nunique().max() > 1
        ]
        if not figures:
            continue
        examples = "; ".join(
            f"{label}: {', '.join(map(str, frame[label].unique()[:3]))}" for label in labels
        )
        raise SuiteError(
            f"{path} is in long form, with a row for each architecture and {', '.join(labels)} "
            f"({examples}), where a column for each is read: turn it with pandas, "
            f"{_pivot(frame, architectures, labels, figures, numbers)}"
        )


def _labels(frame: pd.DataFrame, architectures: str, most: int) -> list[list[str]]:
    """The fewest columns that tell the rows of an architecture apart, and nothing beyond that.

    Their values make up no more combinations than an architecture has rows, as labels do and
    figures do not.
    """
    values = {
        name: frame[name].astype(str).nunique() for name in frame.columns if name != architectures
    }
    few = [name for name, count in values.items() if 1 < count <= most]
    for number in range(1, _MOST_LABELS + 1):
        found = [
            list(labels)
            for labels in combinations(few, number)
            if len(frame[list(labels)].drop_duplicates()) == most
            and not frame.duplicated([architectures, *labels]).any()
        ]
        if found:
            return found
    return []


def _pivot(
    frame: pd.DataFrame,
    architectures: str,
    labels: list[str],
    figures: list[str],
    numbers: Collection[str],
) -> str:
    """What makes a column of each label, named as imports know them: ``cifar10_valid_12``."""
    texts = [label for label in labels if label not in numbers]
    named = any(infer_facts(str(frame[label].iloc[0])) for label in texts)
    unnamed = len(figures) == 1 and (named or figures[0].lower() in _NAMES_NOTHING)
    parts = [f"{{c[{1 + labels.index(label)}]}}" for label in texts]
    name = "_".join([*parts, *([] if unnamed else ["{c[0]}"])])
    for label in sorted([one for one in labels if one in numbers], key=_is_seed):
        name += f"{'@' if _is_seed(label) else '_'}{{c[{1 + labels.index(label)}]}}"
    return (
        f"wide = frame.pivot(index={architectures!r}, columns={labels!r}, values={figures!r}); "
        f"wide.columns = [f{name!r} for c in wide.columns]; wide = wide.reset_index()"
    )


def _is_seed(label: str) -> bool:
    return "seed" in label.lower()
