"""Putting the command line together: our own commands and those of other packages."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Annotated

import typer

from nasbench_suite.commands import data, methods, space, submit
from nasbench_suite.commands.check import check
from nasbench_suite.commands.run import run
from nasbench_suite.errors import SuiteError

GROUP = "nasbench_suite.commands"


def build_app() -> typer.Typer:
    """The application, with every command that an installed distribution adds.

    Raises:
        SuiteError: an added command cannot be imported.
    """
    app = typer.Typer(
        name="nasbench",
        help="Benchmark and evaluate neural-architecture-search methods.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    app.command("run")(run)
    app.command("check")(check)
    app.add_typer(methods.app, name="methods")
    app.add_typer(data.app, name="data")
    app.add_typer(space.app, name="space")
    app.add_typer(submit.app, name="submit")
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            command = entry.load()
        except (ImportError, AttributeError) as error:
            raise SuiteError(
                f"Command {entry.name!r} ({entry.value}) cannot be imported: {error}."
            ) from error
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=entry.name)
        else:
            app.command(entry.name)(command)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"nasbench-suite {version('nasbench-suite')}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass
