"""Every evaluation of every trial, as one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nasbench_suite.analysis.results import Results, read_results

if TYPE_CHECKING:
    import pandas as pd


def evaluations(
    store: str | Path, *, benchmark: str | None = None, dataset: str | None = None
) -> pd.DataFrame:
    """Every evaluation of every finished trial.

    Args:
        store: a results file.
        benchmark: only tasks on this benchmark.
        dataset: only tasks on this data set.

    Returns:
        See ``results_evaluations``.

    Raises:
        SuiteError: no such results.
    """
    return results_evaluations(read_results(store, benchmark=benchmark, dataset=dataset))


def results_evaluations(results: Results) -> pd.DataFrame:
    """As ``evaluations``, of results already read.

    Returns:
        One row an evaluation, trials in the order of ``Results.trials``: ``task``, ``method``,
        ``seed``, ``number`` (from 1 in each trial), ``architecture`` (its index; its string on an
        open benchmark), ``epochs`` (0 where the method recommended without evaluating),
        ``signal`` and, of further objectives, ``signal_2`` and so on (in the metrics' own units;
        missing where there was no figure), ``evaluations`` and ``seconds`` (spent after it), and
        ``recommended`` (what the method said it would return, missing where it did not say).
    """
    import pandas as pd

    from nasbench_suite.analysis.shown import shown

    parts = []
    trials = results.finished
    for trial, key, method, seed in zip(
        *(trials[name] for name in ("trial", "task_key", "method", "seed")), strict=True
    ):
        record = results.store.record(trial)
        count = len(record.architectures)
        named = None if record.strings is None else np.array(record.strings, dtype=object)
        recommended = record.recommended.astype(object)
        if named is not None:
            recommended = np.array(
                [named[place] if place >= 0 else -1 for place in record.recommended],
                dtype=object,
            )
        parts.append(
            pd.DataFrame(
                {
                    "task": results.names[key],
                    "method": method,
                    "seed": seed,
                    "number": np.arange(1, count + 1),
                    "architecture": record.architectures
                    if named is None
                    else named[record.architectures],
                    "epochs": record.epochs,
                    **{
                        f"signal_{place}" if place > 1 else "signal": column
                        for place, column in enumerate(record.signals.T, start=1)
                    },
                    "evaluations": record.evaluations,
                    "seconds": record.seconds,
                    "recommended": pd.Series(
                        np.where(record.recommended < 0, None, recommended)  # type: ignore[call-overload]
                    ),
                }
            )
        )
    if not parts:
        names = ("task", "method", "seed", "number", "architecture", "epochs", "signal")
        return pd.DataFrame(columns=[*names, "evaluations", "seconds", "recommended"])
    main = "method seed number architecture epochs signal evaluations seconds"
    return shown(pd.concat(parts, ignore_index=True), main)


__all__ = ["evaluations", "results_evaluations"]
