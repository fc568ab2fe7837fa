"""Comparisons of methods as tables of text, rendered by ``reports.tables.rendering``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.analysis.comparison import FEW_BLOCKS
from nasbench_suite.analysis.samples import told_failures
from nasbench_suite.deprecated import moved
from nasbench_suite.parsing import counted
from reports.tables.rendering import Sheet, Table
from reports.tables.text import (
    MISSING,
    TELLING_SEEDS,
    digits_of,
    interval,
    number,
    p_value,
)

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.analysis.comparison import Comparison
    from nasbench_suite.statistics.significance import Friedman

_ONE_METHOD = ("identical", *(MISSING,) * 6)  # in place of what is estimated of two methods


def cost_sheet(
    costs: pd.DataFrame, reference: str, failed: Mapping[str, Mapping[str, int]] | None = None
) -> Sheet:
    """One table a task of what methods spend to be as good as one of them is at its end.

    Args:
        costs: as ``nasbench_suite.analysis.curves.matched_costs`` gives them.
        reference: that method.
        failed: how many trials failed, by task and method, which its curve counts.
    """
    tables = []
    for task, part in costs.groupby("task", sort=False):
        rows = [
            (
                row["method"],
                "-" if np.isnan(row["budget"]) else f"{row['budget']:,.4g}",
                "-" if np.isnan(row["speedup"]) else f"{row['speedup']:.3g}",
            )
            for row in part.sort_values("budget", kind="stable").to_dict("records")
        ]
        tables.append(
            Table(
                title=f"{task}: cost to be as good as {reference}",
                subtitle=f"a regret of {part['target'].iloc[0]:.4g}",
                columns=("method", "evaluations", "speedup"),
                rows=tuple(rows),
                best=tuple(row[0] == reference for row in rows),
                notes=tuple(filter(None, [told_failures((failed or {}).get(str(task), {}))])),
            )
        )
    legend = (
        "Evaluations: from which on the method's anytime curve is no worse than the reference's is "
        "at its end; - where it never is. Speedup: what the reference spent, divided by that. "
        "Bold: the reference.",
    )
    return Sheet(tuple(tables), legend)


def comparison_sheet(comparisons: Sequence[Comparison], order: Sequence[str] = ()) -> Sheet:
    """Two tables a task: the methods' mean ranks, and the pairs.

    Args:
        comparisons: as ``nasbench_suite.analysis.comparison.compare`` gives them.
        order: methods that stand first among the ranks; the others as the leaderboard has them.
    """
    tables = []
    for comparison in comparisons:
        if comparison.friedman is not None:
            tables.append(_rank_table(comparison, order))
        tables.append(_pair_table(comparison))
    level = f"{100 * (1 - comparisons[0].alpha):g} %"
    alpha, over = comparisons[0].alpha, comparisons[0].over
    test = (
        "Wilcoxon's signed-rank test over tasks"
        if over == "tasks"
        else "Yuen's test of the difference"
    )
    bayes = (
        "hierarchical model of seeds within tasks (signed-rank test where seeds are not shared)"
        if over == "tasks"
        else "signed-rank test"
    )
    legend = (
        f"Difference: of the interquartile means of first and second, turned so that a positive "
        f"one favours the first, with its {level} interval over {over}, all pairs together. "
        f"Noise: half the width of its interval by training noise alone. p: {test}, adjusted for "
        f"the pairs that were looked at; bold where below {alpha:g}. equiv.: p of a difference as "
        f"large as the region of practical equivalence; below {alpha:g} the methods are "
        f"equivalent. Where neither p is small, the methods are not distinguished. Bayes: "
        f"{bayes}, first better/equal/worse. Improves: chance that a run of the first "
        f"beats one of the second on the same task.",
    )
    return Sheet(tuple(tables), legend)


def _rank_table(comparison: Comparison, asked: Sequence[str]) -> Table:
    test = comparison.friedman
    assert test is not None
    groups = _groups(test)
    ranks = list(zip(comparison.methods, test.mean_ranks, strict=True))
    first = {method: place - len(asked) for place, method in enumerate(asked)}
    order = sorted(range(len(ranks)), key=lambda place: (first.get(ranks[place][0], 0), place))
    worst = test.mean_ranks.min() + test.critical_difference
    return Table(
        title=f"{comparison.task}: ranks",
        subtitle=f"Friedman's chi-squared {test.statistic:.2f}, p {p_value(test.p)}, "
        f"{_blocks(comparison, test.blocks)}; Nemenyi's critical difference of mean ranks "
        f"{test.critical_difference:.2f}",
        columns=("method", "mean rank", "group", *(["may rank"] if comparison.ranks else [])),
        rows=tuple(
            (
                ranks[place][0],
                f"{ranks[place][1]:.2f}",
                groups[place],
                *_may_rank(comparison, place),
            )
            for place in order
        ),
        best=tuple(bool(ranks[place][1] <= worst) for place in order),
        notes=(
            f"Mean rank: over {_blocks(comparison, test.blocks)}, 1 the best. "
            "Methods that share a letter are not told apart; bold: not told apart from the best."
            + (
                " May rank: the ranks by difference that the pairs below leave open, all at once."
                if comparison.ranks
                else ""
            ),
        ),
    )


def _groups(test: Friedman) -> dict[int, str]:
    """The letters of each method, by its place; who is told apart from all others has its own."""
    cliques = test.cliques()
    alone = set(range(len(test.mean_ranks))).difference(*cliques)
    best_first = sorted(
        [*cliques, *((one,) for one in alone)], key=lambda g: test.mean_ranks[list(g)].min()
    )
    groups: dict[int, str] = {}
    for letter, members in zip(_letters(), best_first, strict=False):
        for member in members:
            groups[member] = groups.get(member, "") + letter
    return groups


def _may_rank(comparison: Comparison, position: int) -> list[str]:
    if not comparison.ranks:
        return []
    first, last = comparison.ranks[position]
    return [str(first) if first == last else f"{first} to {last}"]


def _pair_table(comparison: Comparison) -> Table:
    unit = comparison.unit
    scale = comparison.rope or comparison.pairs["difference"].abs().median()
    digits = digits_of(scale)
    better = comparison.pairs["p_adjusted"] < comparison.alpha
    return Table(
        title=f"{comparison.task}: pairs",
        subtitle=f"{_pair_blocks(comparison)}, differences{f' in {unit}' if unit else ''}, region "
        f"of practical equivalence ±{comparison.rope:.2g}",
        columns=(
            *("method", "against", "difference", "interval", "noise", "p", "equiv."),
            *("Bayes", "improves"),
        ),
        rows=tuple(
            (
                row["first"],
                row["second"],
                *(_ONE_METHOD if row["identical"] else _pair_cells(row, digits)),
            )
            for row in comparison.pairs.to_dict("records")
        ),
        best=tuple(better),
        notes=tuple(_notes(comparison, digits)),
    )


def _pair_cells(row: Mapping[Any, Any], digits: int) -> tuple[str, ...]:
    return (
        number(row["difference"], digits),
        interval(row["low"], row["high"], digits),
        number(row["noise"], digits),
        p_value(row["p_adjusted"]),
        p_value(row["p_equivalent"]),
        "/".join(number(row[name], 2) for name in ("better", "equal", "worse")),
        number(row["improvement"], 2),
    )


def _notes(comparison: Comparison, digits: int) -> Iterator[str]:
    if said := told_failures(comparison.failed):
        yield said
    if np.isfinite(comparison.detectable):
        typical, most = (
            f"{figure:.{digits}f} {comparison.unit}".strip()
            for figure in (comparison.detectable, comparison.detectable_of_all)
        )
        between = "" if most == typical else f" between a typical pair, {most} between any"
        yield (
            f"A difference of {typical} shows with a power of 0.8{between}, adjusted as p is; a "
            f"smaller one may go unseen."
        )
    if comparison.over == "tasks" and comparison.pairs["low"].isna().all():
        yield (
            f"With {counted(comparison.blocks, 'task')} and {len(comparison.methods)} methods no "
            f"difference, however large, has p below {comparison.alpha:g}."
        )
    pairs = comparison.pairs
    if pairs["identical"].any():
        yield (
            "Identical: both made the same evaluations with every seed, so they are one method "
            "here and need no test to be equivalent."
        )
        pairs = pairs[~pairs["identical"]]
    if ((pairs["low"] == pairs["high"]) & (pairs["blocks"] < TELLING_SEEDS)).any():
        yield (
            f"An interval without width, of methods whose fewer than {TELLING_SEEDS} seeds all "
            f"gave one figure, says nothing of what other seeds would give."
        )
    if not comparison.rope:
        yield "No noise floor is known, so no difference counts as practically nothing (--rope)."
    if comparison.left_out:
        yield f"Without results on every task, so left out: {', '.join(comparison.left_out)}."
    if comparison.blocks < FEW_BLOCKS:
        yield (
            f"All methods have {_blocks(comparison, comparison.blocks)} in common: with fewer than "
            f"{FEW_BLOCKS}, ranks and signed ranks say little."
        )


def comparisons_frame(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """All pairs of all comparisons, with ``task``, ``unit`` and ``rope`` before."""
    import pandas as pd

    return pd.concat(
        [
            comparison.pairs.assign(
                task=comparison.task, unit=comparison.unit, rope=comparison.rope
            )[["task", "unit", "rope", *comparison.pairs.columns]]
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
            "detectable_of_all": _plain(comparison.detectable_of_all),
            "methods": list(comparison.methods),
            "left_out": list(comparison.left_out),
            "failed": dict(comparison.failed),
            "ranks": [list(ends) for ends in comparison.ranks],
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


def _pair_blocks(comparison: Comparison) -> str:
    """How many blocks the two methods of a pair have in common, from the fewest to the most."""
    numbers = comparison.pairs["blocks"].astype(int)
    fewest, most = int(numbers.min()), int(numbers.max())
    several = f"{fewest} to " if fewest < most else ""
    return f"{several}{_blocks(comparison, most)} in common"


def _blocks(comparison: Comparison, number: int) -> str:
    if comparison.over == "tasks":
        return counted(number, "task")
    return counted(number, "seed") + (" of tasks" if comparison.task == "all tasks" else "")


if not TYPE_CHECKING:  # names of version 0.1
    __getattr__, _ = moved(
        __name__,
        {
            "comparison_report": ":comparison_sheet",
            "cost_report": ":cost_sheet",
        },
    )
