"""``nasbench submit``: sharing results that others can check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nasbench_suite.submissions import Merge

app = typer.Typer(help="Submissions to a shared leaderboard: make, verify and merge them.")


@app.callback()
def _submit() -> None:
    pass


@app.command("make")
def make_command(
    output: Annotated[
        Path, typer.Argument(help="The file, ending in .nasbench.json.gz, or .xz: half the size.")
    ],
    store: Annotated[Path, typer.Option(help="Results file, made by `nasbench run`.")] = Path(
        "results.sqlite"
    ),
    methods: Annotated[
        str | None, typer.Option(help="These alone, as name,name; by default all.")
    ] = None,
    author: Annotated[str, typer.Option(help="Whom to ask.")] = "",
    note: Annotated[str, typer.Option(help="Anything a reader must know.")] = "",
) -> None:
    """Write finished trials as a small file that anybody can verify."""
    from nasbench_suite.commands.printing import file_size
    from nasbench_suite.parsing import counted, given_names
    from nasbench_suite.submissions import make_submission

    chosen = given_names(methods)
    made = make_submission(store, output, methods=chosen, author=author, note=note)
    size = file_size(output.stat().st_size)
    typer.echo(f"{output}: {counted(len(made.trials), 'trial')}, {size}")


@app.command("verify")
def verify_command(
    submission: Annotated[
        Path, typer.Argument(help="The file of a submission, or a results file.")
    ],
    rerun: Annotated[
        int,
        typer.Option(
            help="Run so many trials again, some of each method, and compare them bitwise."
        ),
    ] = 0,
) -> None:
    """Compute every claim again; exit code 1 if anything is not so, 2 if it cannot be read."""
    from nasbench_suite.errors import printable
    from nasbench_suite.lookalikes import shown_name
    from nasbench_suite.parsing import counted
    from nasbench_suite.submissions import verify_submission

    found = verify_submission(submission, rerun=rerun)
    for note in found.notes:
        typer.echo(printable(f"note: {note}"))
    for doubt in found.doubts:
        typer.echo(printable(f"doubt: {doubt}"))
    for fault in found.faults:
        typer.echo(printable(str(fault)))
    file, trials = shown_name(str(submission)), counted(len(found.submission.trials), "trial")
    again = f", {found.rerun} of them run again" if found.rerun else ""
    if not found.accepted:
        faults = counted(len(found.faults), "fault")
        typer.echo(f"{file} is rejected: {faults} in {trials}.")
        raise typer.Exit(1)
    if found.doubts:
        typer.echo(
            f"{file} enters with {counted(len(found.doubts), 'doubt')}: {trials} computed "
            f"anew{again}. Level: {found.level}."
        )
        return
    typer.echo(f"{file} is sound: {trials} computed anew{again}.")
    if not found.rerun:
        typer.echo(f"Level: {found.level}. That the searches took place is shown by --rerun alone.")
    else:
        typer.echo(f"Level: {found.level}.")


@app.command("merge")
def merge_command(
    folder: Annotated[Path, typer.Argument(help="Folder with submissions.")],
    store: Annotated[Path, typer.Option(help="The results file to make.")],
    rerun: Annotated[int, typer.Option(help="Run so many trials of each submission again.")] = 0,
) -> None:
    """Verify all submissions of a folder and merge the sound ones into a results file."""
    from nasbench_suite.parsing import counted
    from nasbench_suite.submissions import merge_submissions

    with telling() as tell:
        merge = merge_submissions(folder, store, rerun=rerun, tell=tell)
    report_merge(merge)
    trials = counted(merge.trials, "trial")
    typer.echo(f"{store}: {trials} of {counted(len(merge.accepted), 'submission')}")


@contextmanager
def telling() -> Iterator[Callable[[str], None]]:
    """What says on a terminal, in a line that goes again, what a command is at."""
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True, markup=False).status("") as status:
        yield lambda said: status.update(Text(said))


def report_merge(merge: Merge) -> None:
    """Say on standard error what entered, how far it was confirmed, and what did not and why."""
    from nasbench_suite.errors import printable
    from nasbench_suite.lookalikes import shown_name

    for name, reasons in merge.rejected.items():
        more = f" (and {len(reasons) - 1} more faults)" if reasons[1:] else ""
        typer.echo(printable(f"{shown_name(name)} is rejected: {reasons[0]}{more}"), err=True)
    for name, level in merge.levels.items():
        said = merge.doubts.get(name, [])
        doubts = f"; doubts: {said[0]}" if said else ""
        more = f" (and {len(said) - 1} more)" if said[1:] else ""
        confirmed = f"{shown_name(name)} is confirmed by: {level}{doubts}{more}"
        typer.echo(printable(confirmed), err=True)
