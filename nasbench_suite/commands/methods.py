"""``nasbench methods``: what can be run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

_NEEDS = (
    "Needs, of the search space: a list of all architectures; choices, made one by one; "
    "parameters, as tuners set them; features to learn from. The rest are packages."
)

app = typer.Typer(help="Search methods: ours, and those of any installed package.")


@app.callback()
def _methods() -> None:
    pass


@app.command("list")
def list_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the methods that are installed, one a line."""
    import json

    from nasbench_suite.tasks.methods import describe_methods

    found = describe_methods()
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    from nasbench_suite.commands.printing import print_lacks, print_lines, print_rows

    heads = ("method", "family", "needs", "what it does")
    print_rows(heads, [_line(entry) for entry in found])
    typer.echo("")
    print_lacks([entry["lack"] for entry in found])
    print_lines(_NEEDS, "Hyper-parameters and sources: nasbench methods info METHOD")


def _line(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """What the list says of a method."""
    from nasbench_suite.commands.printing import MARK

    own = entry["distribution"] == "nasbench-suite"
    source = "" if own else f" (from {entry['distribution']})"
    name = f"{entry['name']} {MARK}" if entry["lack"] else entry["name"]
    needs = ", ".join(entry["needs"])
    return name, entry["family"] or "-", needs or "-", f"{entry['summary']}{source}"


@app.command("info")
def info_command(name: str) -> None:
    """Print what a method's author says of it, and its hyper-parameters."""
    import inspect

    from nasbench_suite.tasks.methods import make_method, method_class

    typer.echo(f"{name}\n\n{inspect.getdoc(method_class(name))}\n")
    config = make_method(name).config
    typer.echo("Hyper-parameters:" if config else "It has no hyper-parameters.")
    for key, value in config.items():
        typer.echo(f"  {key} = {value}")
