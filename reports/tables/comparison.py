"""Comparisons of methods as tables of text, rendered by ``reports.tables.rendering``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reports.tables.rendering import MISSING, Report, Table

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.analysis.comparison import Comparison

_SURE = 0.95  # a probability above this is a verdict


def comparison_report(comparisons: Sequence[Comparison]) -> Report:
    """Two tables a task: the methods' mean ranks, and the pairs.

    Args:
        comparisons: as ``nasbench_suite.analysis.comparison.compare`` gives them.
    """
    tables = []
    for comparison in comparisons:
        if comparison.friedman is not None:
            tables.append(_rank_table(comparison))
        tables.append(_pair_table(comparison))
    level = f"{100 * (1 - comparisons[0].alpha):g} %"
    legend = (
        f"Difference: interquartile mean over blocks of first less second, turned so that a "
        f"positive one favours the first, with its {level} bootstrap interval. "
        f"p: Wilcoxon's signed-rank test, Holm-adjusted over the pairs of the table; bold where "
        f"below {comparisons[0].alpha:g}. "
        f"Better, equal, worse: Bayesian signed-rank test; equal is closer than the region of "
        f"practical equivalence. Improves: chance that a run of the first beats one of the "
        f"second.",
    )
    return Report(tuple(tables), legend)


def _rank_table(comparison: Comparison) -> Table:
    test = comparison.friedman
    assert test is not None
    groups: dict[int, str] = {}
    for letter, clique in zip(_letters(), test.cliques(), strict=False):
        for member in clique:
            groups[member] = groups.get(member, "") + letter
    first = test.mean_ranks.min()
    return Table(
        title=f"{comparison.task}: ranks",
        subtitle=f"Friedman's chi-squared {test.statistic:.2f}, p {_p(test.p)}, "
        f"{test.blocks} {_blocks(comparison)}; Nemenyi's critical difference of mean ranks "
        f"{test.critical_difference:.2f}",
        columns=("method", "mean rank", "group"),
        rows=tuple(
            (method, f"{rank:.2f}", groups.get(position, ""))
            for position, (method, rank) in enumerate(
                zip(comparison.methods, test.mean_ranks, strict=True)
            )
        ),
        best=tuple(bool(rank <= first + test.critical_difference) for rank in test.mean_ranks),
        notes=(
            "Methods that share a letter are not told apart; bold: not told apart from the best.",
        ),
    )


def _pair_table(comparison: Comparison) -> Table:
    unit = comparison.unit
    digits = _digits(comparison)
    better = comparison.pairs["p_holm"] < comparison.alpha
    return Table(
        title=f"{comparison.task}: pairs",
        subtitle=f"{comparison.blocks} {_blocks(comparison)}, differences in {unit}, region of "
        f"practical equivalence ±{comparison.rope:.2g}",
        columns=(
            *("method", "against", "difference", "interval", "p"),
            *("better/equal/worse", "improves"),
        ),
        rows=tuple(
            (
                row["first"],
                row["second"],
                _number(row["difference"], digits),
                _interval(row["low"], row["high"], digits),
                _p(row["p_holm"]),
                "/".join(_number(row[name], 2) for name in ("better", "equal", "worse")),
                f"{row['improvement']:.2f}",
            )
            for row in comparison.pairs.to_dict("records")
        ),
        best=tuple(better),
        notes=tuple(_notes(comparison, digits)),
    )


def _notes(comparison: Comparison, digits: int) -> Iterator[str]:
    if np.isfinite(comparison.detectable):
        yield (
            f"{comparison.blocks} {_blocks(comparison)} show a difference of two means of "
            f"{comparison.detectable:.{digits}f} {comparison.unit} with a power of 0.8; a smaller "
            f"one may go unseen."
        )
    if not comparison.rope:
        yield "No noise floor is known, so no difference counts as practically nothing (--rope)."
    if comparison.left_out:
        yield f"Without results on every task, so left out: {', '.join(comparison.left_out)}."
    if not comparison.blocks:
        yield "The methods have no seed in common, so only improvement is known."


def comparisons_frame(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """All pairs of all comparisons, with ``task``, ``blocks``, ``unit`` and ``rope`` before."""
    import pandas as pd

    return pd.concat(
        [
            comparison.pairs.assign(
                task=comparison.task,
                blocks=comparison.blocks,
                unit=comparison.unit,
                rope=comparison.rope,
            )[["task", "blocks", "unit", "rope", *comparison.pairs.columns]]
            for comparison in comparisons
        ],
        ignore_index=True,
    )


def comparisons_json(comparisons: Sequence[Comparison]) -> str:
    """Every figure of the comparisons; what is missing is null."""
    content = [
        {
            "task": comparison.task,
            "over": comparison.over,
            "blocks": comparison.blocks,
            "unit": comparison.unit,
            "rope": comparison.rope,
            "alpha": comparison.alpha,
            "detectable": _plain(comparison.detectable),
            "methods": list(comparison.methods),
            "left_out": list(comparison.left_out),
            "friedman": None
            if comparison.friedman is None
            else {
                "statistic": comparison.friedman.statistic,
                "p": comparison.friedman.p,
                "critical_difference": comparison.friedman.critical_difference,
                "mean_ranks": comparison.friedman.mean_ranks.tolist(),
                "cliques": [list(clique) for clique in comparison.friedman.cliques()],
                "nemenyi_p": comparison.friedman.pairs.tolist(),
            },
            "pairs": [
                {str(name): _plain(value) for name, value in row.items()}
                for row in comparison.pairs.to_dict("records")
            ],
        }
        for comparison in comparisons
    ]
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _letters() -> Iterator[str]:
    """The alphabet, then aa, bb, ..."""
    times = 1
    while True:
        for letter in "abcdefghijklmnopqrstuvwxyz":
            yield letter * times
        times += 1


def _blocks(comparison: Comparison) -> str:
    if comparison.over == "tasks":
        return "tasks"
    return "seeds" if comparison.task != "all tasks" else "seeds of tasks"


def _digits(comparison: Comparison) -> int:
    scale = comparison.rope or comparison.pairs["difference"].abs().median()
    if not scale > 0:
        return 2
    return int(np.clip(1 - np.floor(np.log10(scale)), 2, 6))


def _p(value: float) -> str:
    if not np.isfinite(value):
        return MISSING
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else MISSING


def _interval(low: float, high: float, digits: int) -> str:
    return f"[{low:.{digits}f}, {high:.{digits}f}]" if np.isfinite(low) else MISSING


__all__ = ["comparison_report", "comparisons_frame", "comparisons_json"]
