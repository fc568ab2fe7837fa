"""Putting the command line together: every command, ours and others', is a registered part.

A command is imported when it is asked for, or when its summary is to be listed. One that cannot be
imported is listed with the reason, and says it when it is called; all others are as they were.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from inspect import getdoc
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group, solve_typer_info_help
from typer.models import TyperInfo

from nasbench_suite import registry
from nasbench_suite.deprecated import OPTIONS, current_options, refuse_removed
from nasbench_suite.errors import SuiteError, SuiteWarning, printable

# What the help lists together; a command of nobody's group stands at the end.
_GROUPS = {
    "Run and keep": ("run", "store", "export", "submit"),
    "Look at results": ("leaderboard", "compare", "fronts", "robustness", "sensitivity", "seeds"),
    "For a paper and for others": ("figure", "table", "report", "site"),
    "Benchmarks, spaces and methods": ("data", "space", "methods", "list", "hardware"),
    "Predictors and proxies": ("predict", "proxies"),
    "Checks and parts of methods": ("check", "supernet", "vae"),
}


class Commands(TyperGroup):
    """The registered commands, each imported when it is asked for."""

    @cached_property
    def parts(self) -> dict[str, registry.Entry]:
        """The registered commands by name."""
        return registry.entries("commands")

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands, sorted."""
        return list(self.parts)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or what says why it cannot be imported; None if unknown."""
        if cmd_name not in self.parts:
            return None
        within = typer.Typer(rich_markup_mode=None)
        entry = self.parts[cmd_name]
        try:
            command = entry.load()
            with entry.blamed("be a command"):
                if isinstance(command, typer.Typer):
                    within.add_typer(command, name=cmd_name)
                else:
                    within.command(cmd_name)(command)
                return get_group(within).commands[cmd_name]
        except SuiteError as error:
            refusing = typer.Typer(rich_markup_mode=None)
            _add_refusal(refusing, cmd_name, str(error))
            return get_group(refusing).commands[cmd_name]

    def invoke(self, ctx: Any) -> Any:
        """Run the command that is called.

        Raises:
            SuiteError: an option has a value that it cannot have.
        """
        from nasbench_suite.commands.usage import value_fault

        try:
            with spoken_warnings():
                return super().invoke(ctx)
        except typer.BadParameter as error:
            if not (said := value_fault(error)):
                raise
            raise SuiteError(said) from None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The help of all commands, in groups, each with its whole sentence."""
        known = self.list_commands(ctx)
        others = [name for name in known if not any(name in part for part in _GROUPS.values())]
        for title, names in [*_GROUPS.items(), ("More", tuple(others))]:
            rows = [(name, self._summary(name)) for name in names if name in known]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def _summary(self, name: str) -> str:
        """What a command does, or why it cannot be imported.

        Of its documentation alone: making the options of all commands takes longer than the rest
        of the help.
        """
        entry = self.parts[name]
        try:
            command = entry.load()
            with entry.blamed("be described"):
                if isinstance(command, typer.Typer):
                    told = solve_typer_info_help(TyperInfo(command))
                else:
                    told = getdoc(command) or ""
        except SuiteError as error:
            return str(error)
        return printable(TyperCommand(name, help=told).get_short_help_str(limit=400))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called.

        Raises:
            SuiteError: there is none of that name, or none any more.
        """
        refuse_removed(args)
        if not args[0].startswith("-"):
            registry.find("commands", args[0])
            args = [args[0], *current_options(OPTIONS.get(args[0], {}), args[1:])]
        return super().resolve_command(ctx, args)


@contextmanager
def spoken_warnings() -> Iterator[None]:
    """Print our warnings on standard error as sentences, without a place in the source."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
            if issubclass(category, SuiteWarning):
                typer.echo(str(message), err=True)
            else:
                others(message, category, *rest, **more)

        warnings.showwarning = show
        yield


def _add_refusal(app: typer.Typer, name: str, sentence: str) -> None:
    """Add a command that says why the one of its name cannot be imported, whatever it is given."""

    @app.command(
        name,
        help=sentence,
        short_help=sentence,
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    def refuse() -> None:
        raise SuiteError(sentence)


def build_app() -> typer.Typer:
    """The application, with every command that an installed distribution registers."""
    app = typer.Typer(
        name="nasbench",
        cls=Commands,
        help="Benchmark and evaluate neural-architecture-search methods.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
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
