"""``nasbench store``: looking after results files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Results files: verify, copy, merge, rename, remove, list and export; what failed in them."
)

_MANY_SEEDS = 5  # of one traceback, named one by one
_Store = Annotated[Path, typer.Argument(help="A results file, made by `nasbench run`.")]


@app.command("verify")
def verify_command(store: _Store) -> None:
    """Compare everything in a results file with what was written; exit code 1 if it is damaged."""
    from nasbench_suite.parsing import counted
    from nasbench_suite.store.maintenance import verify_store

    found = verify_store(store)
    for fault in found.faults:
        typer.echo(fault)
    if found.faults:
        raise typer.Exit(1)
    earlier = f", {found.unsealed} of an earlier version without a seal" if found.unsealed else ""
    typer.echo(f"{store} is as it was written: {counted(found.trials, 'trial')}{earlier}.")
    typer.echo(f"Whether it is true of the table: nasbench submit verify {store} --rerun 5")


@app.command("backup")
def backup_command(
    store: _Store, target: Annotated[Path, typer.Argument(help="The copy to make.")]
) -> None:
    """Copy a results file whole, also while a run writes to it."""
    from nasbench_suite.commands.printing import file_size
    from nasbench_suite.store.maintenance import backup_store

    backup_store(store, target)
    typer.echo(f"{target}: {file_size(target.stat().st_size)}")


@app.command("merge")
def merge_command(
    stores: Annotated[list[Path], typer.Argument(help="Results files.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to make.")],
) -> None:
    """Put the trials of several results files into a new one; those alike enter once."""
    from nasbench_suite.parsing import counted
    from nasbench_suite.store.maintenance import merge_stores

    trials = counted(merge_stores(stores, output), "trial")
    typer.echo(f"{output}: {trials} of {counted(len(stores), 'file')}")


@app.command("rename")
def rename_command(
    store: _Store,
    label: Annotated[str, typer.Argument(help="The method's label as it is.")],
    new: Annotated[str, typer.Argument(help="Its label from now on.")],
) -> None:
    """Give a method another label on every board made from this file."""
    from nasbench_suite.store.maintenance import rename_method

    rename_method(store, label, new)


@app.command("remove")
def remove_command(
    store: _Store,
    methods: Annotated[str | None, typer.Option(help="Of these methods, as name,name.")] = None,
    tasks: Annotated[str | None, typer.Option(help="Of tasks of these names.")] = None,
    seeds: Annotated[str | None, typer.Option(help="With these seeds, as 0-4 or 0,2.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Failed trials alone.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove them; else they are counted.")] = False,
) -> None:
    """Remove the trials that fulfil all that is asked; without --yes they are only counted."""
    from nasbench_suite.parsing import counted, given_names, parse_seeds
    from nasbench_suite.store.maintenance import remove_trials

    count = remove_trials(
        store,
        methods=given_names(methods) or (),
        tasks=given_names(tasks) or (),
        seeds=() if seeds is None else parse_seeds(seeds),
        failed=failed,
        dry=not yes,
    )
    done = "removed" if yes else "would be removed: give --yes to remove them"
    typer.echo(f"{counted(count, 'trial')} {done}")


@app.command("list")
def list_command(store: _Store) -> None:
    """What is in a results file: trials finished and failed, by task and method."""
    from nasbench_suite.commands.printing import print_table
    from nasbench_suite.lookalikes import shown_name
    from nasbench_suite.parsing import seed_ranges
    from nasbench_suite.store.maintenance import summarise_store

    rows = []
    for row in summarise_store(store).to_dict("records"):
        seeds = seed_ranges(row["seeds"])
        counts = (str(row["finished"]), str(row["failed"]), seeds, str(row["codes"]))
        names = shown_name(row["task_name"]), shown_name(row["method"])
        rows.append((*names, *counts))
    print_table(("task", "method", "finished", "failed", "seeds", "codes"), rows, names=2)


@app.command("failures")
def failures_command(
    store: _Store,
    methods: Annotated[str | None, typer.Option(help="Of these methods, as name,name.")] = None,
) -> None:
    """Print the traceback of every trial that failed; those of equal tracebacks together."""
    from nasbench_suite.errors import and_more, printable
    from nasbench_suite.parsing import given_names
    from nasbench_suite.store.maintenance import failed_trials

    frame = failed_trials(store, given_names(methods) or ())
    for (task, method, message), trials in frame.groupby(
        ["task_name", "method", "message"], sort=False
    ):
        few = ", ".join(map(str, trials["seed"][:_MANY_SEEDS]))
        typer.echo(
            printable(f"{method} on {task}, seed {few}{and_more(len(trials) - _MANY_SEEDS)}:")
        )
        typer.echo("\n".join(printable(f"  {line}") for line in str(message).splitlines()))
    if frame.empty:
        typer.echo("No trial failed.")


@app.command("export")
def export_command(
    store: _Store,
    target: Annotated[Path, typer.Argument(help="The file to make: .csv, .json or .parquet.")],
) -> None:
    """Write a row for each trial into a table that other programs read, as `nasbench export`."""
    from nasbench_suite.parsing import counted
    from nasbench_suite.store.maintenance import export_store

    typer.echo(f"{target}: {counted(export_store(store, target), 'trial')}")
