"""``nasbench compare`` and ``nasbench seeds``."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasbench_suite.commands.options import DEFAULT_STORE, OneTask, Store, choosing
from reports.commands.options import (
    Evaluations,
    File,
    Form,
    Format,
    Seconds,
    Selection,
    print_sheet,
    results_file,
    tell_same,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Blocks(StrEnum):
    """What methods are compared within."""

    SEEDS = "seeds"
    TASKS = "tasks"


@choosing
def compare(
    file: File = None,
    store: Store = DEFAULT_STORE,
    *,
    chosen: Selection,
    against: Annotated[
        str | None,
        typer.Option(
            help="Compare all others with this method, or with `best`; by default all pairs of "
            "up to ten methods."
        ),
    ] = None,
    over: Annotated[
        Blocks, typer.Option(help="`seeds`: about these tasks; `tasks`: about tasks like these.")
    ] = Blocks.SEEDS,
    form: Form = Format.TERMINAL,
    evaluations: Evaluations = None,
    seconds: Seconds = None,
    rope: Annotated[
        float | None,
        typer.Option(
            help="Differences below this are practically nothing; by default the noise floor."
        ),
    ] = None,
    alpha: Annotated[float, typer.Option(help="Level of the tests.")] = 0.05,
    cost: Annotated[
        str | None,
        typer.Option(
            "--cost-to-reach",
            help="Print instead what each method spends to be as good as this one is at its end.",
        ),
    ] = None,
    resamples: Annotated[
        int | None,
        typer.Option(help="Bootstrap resamples for the interval of improvement; 2000 by default."),
    ] = None,
) -> None:
    """Test which methods differ, by how much, and how sure that is."""
    from nasbench_suite.analysis.comparison import BEST, results_comparisons
    from nasbench_suite.statistics.significance import RESAMPLES
    from reports.labels import in_order
    from reports.tables import comparison as comparison_tables
    from reports.tables import rendering as tables

    results = chosen.read(results_file(file, store), form)
    if cost is not None:
        from nasbench_suite.analysis.curves import matched_costs, results_curves

        costs = matched_costs(results_curves(results), results.method(cost))
        if form is Format.CSV:
            typer.echo(tables.to_csv(costs), nl=False)
        elif form is Format.JSON:
            typer.echo(costs.to_json(orient="records", indent=2))
        else:
            failed = {name: results.failed_on(key) for key, name in results.names.items()}
            sheet = comparison_tables.cost_sheet(costs, results.method(cost), failed)
            print_sheet(sheet, form, results)
        return
    if against not in (None, BEST):
        against = results.method(str(against), besides=(BEST,))
    comparisons = results_comparisons(
        results,
        against=against,
        over=over.value,
        evaluations=evaluations,
        seconds=seconds,
        rope=rope,
        alpha=alpha,
        resamples=RESAMPLES if resamples is None else resamples,
    )
    comparisons = [
        replace(one, pairs=in_order(one.pairs, results, "first", "second")) for one in comparisons
    ]
    tell_same(results)
    if form is Format.CSV:
        typer.echo(tables.to_csv(comparison_tables.comparisons_frame(comparisons)), nl=False)
    elif form is Format.JSON:
        typer.echo(comparison_tables.comparisons_json(comparisons), nl=False)
    else:
        print_sheet(comparison_tables.comparison_sheet(comparisons, results.order), form, results)


def seeds(
    sd: Annotated[
        float | None,
        typer.Option(help="Standard deviation over seeds of one method, its figures Gaussian."),
    ] = None,
    pilot: Annotated[
        Path | None,
        typer.Option(help="Results file with a pilot: what its figures show, as they spread."),
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="With --pilot: the method whose figures are drawn from.")
    ] = None,
    task: OneTask = None,
    difference: Annotated[
        float | None, typer.Option(help="How many seeds show a difference of means of this size?")
    ] = None,
    count: Annotated[
        int | None, typer.Option("--seeds", help="What difference do so many seeds show?")
    ] = None,
    methods: Annotated[
        int, typer.Option(help="How many methods are compared; all pairs of them are looked at.")
    ] = 2,
    alpha: Annotated[float, typer.Option(help="Level of the two-sided test.")] = 0.05,
    power: Annotated[float, typer.Option(help="Chance to see the difference.")] = 0.8,
) -> None:
    """Say how many seeds a difference needs, or what difference so many seeds show."""
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.parsing import counted
    from nasbench_suite.statistics import planning

    if (difference is None) == (count is None):
        raise SuiteError("Give either --difference or --seeds: the other one is computed.")
    if (sd is None) == (pilot is None):
        raise SuiteError("Give either --sd or --pilot: how figures spread over seeds.")
    if pilot is None and (method or task):
        raise SuiteError("--method and --task say whose figures of --pilot: give it, or not them.")
    settings: dict[str, Any] = {"methods": methods, "alpha": alpha, "power": power}
    if pilot is not None:
        spread = _spread_of(pilot, task, method)
    else:
        spread = _Spread(f"Gaussian figures with a standard deviation of {sd:g}", sd or 0.0)
    figures = spread.figures
    if difference is not None:
        needed = (
            planning.drawn_seeds(difference, figures, **settings)
            if figures is not None
            else planning.seeds_needed(difference, spread.sd, **settings)
        )
        typer.echo(f"{counted(needed, 'seed')} of each method show {spread.shown(difference)}")
    elif count is not None:
        shown = (
            planning.drawn_difference(figures, count, **settings)
            if figures is not None
            else planning.detectable_difference(spread.sd, count, **settings)
        )
        typer.echo(f"{spread.shown(shown)} shows with {counted(count, 'seed')} of each method")
    pairs = "two methods" if methods == 2 else f"all pairs of {methods} methods"
    typer.echo(
        f"with a power of {power:g}: Yuen's test of interquartile means of {pairs}, two-sided, at "
        f"a level of {alpha:g}{' together' if methods > 2 else ''}; {spread.source}"
    )


@dataclass(frozen=True)
class _Spread:
    """How figures spread over seeds: a standard deviation, or the figures of a pilot.

    Attributes:
        source: where that is known from.
        sd: standard deviation over seeds.
        figures: of a pilot, shape (seeds,).
        unit: theirs.
    """

    source: str
    sd: float = 0.0
    figures: NDArray[np.float64] | None = None
    unit: str = ""

    def shown(self, difference: float) -> str:
        """A difference with its unit."""
        if not math.isfinite(difference):
            return "no difference at all"
        unit = self.unit if self.figures is not None else "(in the unit of --sd)"
        return f"a difference of {difference:.4g} {unit}".rstrip()


def _spread_of(pilot: Path, task: str | None, method: str | None) -> _Spread:
    """How figures of a method on a task of a results file spread; a hint where they are few."""
    from nasbench_suite.analysis.comparison import method_samples
    from nasbench_suite.analysis.results import choose_task, one_task, read_results
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.parsing import counted
    from nasbench_suite.statistics.planning import PILOT_SEEDS
    from nasbench_suite.tasks.methods import find_label

    results = read_results(pilot)
    results = one_task(results, choose_task(results, task))
    (samples,) = method_samples(results).values()
    if method is None and len(samples) > 1:
        raise SuiteError(f"{pilot} has {len(samples)} methods: choose {', '.join(samples)}.")
    name = next(iter(samples)) if method is None else method
    name = find_label(f"method of {pilot}", name, list(samples))
    figures = samples[name].figures
    if len(figures) < PILOT_SEEDS:
        tell = "tells" if len(figures) == 1 else "tell"
        hint = (
            f"{counted(len(figures), 'seed')} of a pilot {tell} little of how figures spread: run "
            f"{PILOT_SEEDS} or more."
        )
        typer.echo(hint, err=True)
    ((key, row),) = results.tasks.items()
    source = f"figures of {name} on {results.names[key]}, {counted(len(figures), 'seed')}"
    return _Spread(source, figures=figures, unit="points" if row.unit == "%" else row.unit)
