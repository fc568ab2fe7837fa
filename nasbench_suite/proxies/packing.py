"""The table of what a journal of scores holds."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from nasbench_suite.errors import SuiteError
from nasbench_suite.files.atomic import need_folder, need_place, replacing
from nasbench_suite.files.journal import Journal

if TYPE_CHECKING:
    import pandas as pd


def need_table(output: Path) -> None:
    """See that scores can be written to a path, and be read from there by its name.

    Raises:
        SuiteError: its name does not end in ``.parquet``, or see ``need_place``.
    """
    if output.suffix != ".parquet":
        raise SuiteError(
            f"Scores are written as Parquet, by which they are known again, and {str(output)!r} "
            f"does not say so: give a name that ends in .parquet."
        )
    need_folder(output)
    need_place(output)


def scored(journal: Path, architectures: Collection[str] | None = None) -> pd.DataFrame:
    """What a journal holds: ``arch_str``, a column a proxy, and its seconds as ``NAME_seconds``.

    Args:
        journal: of ``compute``.
        architectures: the strings of those that are wanted; None for all.

    Raises:
        SuiteError: it is no journal of scores, or none of them is finished.
    """
    import pandas as pd

    header, *entries = Journal(journal).entries() or [{}]
    if header and not {"proxies", "space", "batch"} <= header.keys():
        raise SuiteError(
            f"Journal {journal} holds no scores of proxies: give one that `nasbench proxies "
            f"compute` keeps."
        )
    wanted = None if architectures is None else set(architectures)
    # Twice where two commands wrote one journal, as earlier versions let them: the same scores.
    finished = {entry["architecture"]: entry for entry in entries}
    rows = [
        {
            "arch_str": entry["architecture"],
            **entry["scores"],
            **{f"{name}_seconds": seconds for name, seconds in entry["seconds"].items()},
        }
        for entry in finished.values()
        if wanted is None or entry["architecture"] in wanted
    ]
    if not rows:
        raise SuiteError(
            f"No architecture is finished in journal {journal} yet: go on with the computation."
        )
    return pd.DataFrame(rows).sort_values("arch_str", ignore_index=True)


def write_scores(journal: Path, output: Path, architectures: Collection[str] | None = None) -> int:
    """Write what ``scored`` gives as a Parquet table; returns the number of architectures."""
    frame = scored(journal, architectures)
    with replacing(output) as path, path.open("wb") as file:
        frame.to_parquet(file, index=False)
    return len(frame)
