"""``nasbench methods``: what can be run."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Search methods: ours, and those of any installed package.")


@app.callback()
def _methods() -> None:
    pass


@app.command("list")
def list_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the methods that are installed, with their hyper-parameters."""
    import json

    from nasbench_suite.tasks.methods import describe_methods

    found = describe_methods()
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("method", "what it is", "hyper-parameters", "from", show_lines=False)
    for entry in found:
        settings = ", ".join(f"{key}={value}" for key, value in entry["settings"].items())
        table.add_row(entry["name"], entry["summary"], settings, entry["distribution"])
    Console().print(table)


@app.command("info")
def info_command(name: str) -> None:
    """Print what a method's author says of it, and its hyper-parameters."""
    import inspect

    from nasbench_suite.tasks.methods import make_method, method_class

    typer.echo(f"{name}\n\n{inspect.getdoc(method_class(name))}\n\nHyper-parameters:")
    for key, value in make_method(name).config.items():
        typer.echo(f"  {key} = {value}")
