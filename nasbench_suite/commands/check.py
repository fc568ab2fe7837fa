"""``nasbench check``: has a method become worse than its baseline?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def check(
    baseline: Annotated[Path, typer.Option(help="Baseline file (JSON), made with --save.")],
    store: Annotated[Path, typer.Option(help="Results file, made by `nasbench run`.")] = Path(
        "results.sqlite"
    ),
    save: Annotated[
        bool, typer.Option("--save", help="Write the results as the new baseline; check nothing.")
    ] = False,
    methods: Annotated[
        str | None, typer.Option(help="These alone, as name,name; by default all.")
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            help="The smallest loss that matters, in the metric's unit; by default the "
            "benchmark's noise floor."
        ),
    ] = None,
    diagnostic: Annotated[
        str | None,
        typer.Option(
            help="With --save: what methods logged last under this name, such as node_variance, "
            "which is then to stay within --margin, up and down."
        ),
    ] = None,
    alpha: Annotated[
        float, typer.Option(help="Chance that a loss of the margin passes unseen.")
    ] = 0.05,
    power: Annotated[
        float, typer.Option(help="Chance that an unchanged method should pass.")
    ] = 0.9,
    rare: Annotated[
        float,
        typer.Option(
            help="The smallest share of seeds whose collapse must not pass unseen; 0.05 takes 59 "
            "seeds, 0.26 takes 10, and 0 looks at the mean alone."
        ),
    ] = 0.05,
    summary: Annotated[
        Path | None, typer.Option(help="Append the Markdown summary to this file too.")
    ] = None,
) -> None:
    """Compare methods with their baseline.

    The exit code is 0 if none is worse, 1 if one is or a loss cannot be ruled out though the seeds
    suffice, 2 if there are too few seeds to tell.
    """
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.files.atomic import need_several
    from nasbench_suite.gate import advice, make_baseline, save_baseline
    from nasbench_suite.gate import check as check_store
    from nasbench_suite.parsing import counted, given_names

    if summary is not None:
        need_several(the_results_file=store, the_baseline=baseline, the_summary=summary)
    chosen = given_names(methods)
    if save:
        made = make_baseline(store, methods=chosen, diagnostic=diagnostic)
        save_baseline(made, baseline)
        count = counted(len(made.entries), "entry", "entries")
        typer.echo(f"{baseline}: {count} saved, one a method and task.")
        return
    found = check_store(
        store, baseline, methods=chosen, margin=margin, alpha=alpha, power=power, rare=rare or None
    )
    text = found.markdown()
    typer.echo(text, nl=False)
    if summary is not None:
        try:
            with summary.open("a") as file:
                file.write(text)
        except OSError as error:
            raise SuiteError(f"{summary} cannot be written: {error.strerror}.") from error
    if found.regressions:
        raise typer.Exit(1)
    if found.undecided:
        several = len(found.undecided) > 1
        raise SuiteError(
            f"{counted(len(found.undecided), 'comparison')} {'have' if several else 'has'} too few "
            f"seeds to tell. {advice(found.undecided)}"
        )
