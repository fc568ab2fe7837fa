"""``nasbench list``: what can be plugged in, ours and others'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nasbench_suite.registry import Listed


def list_parts(
    kind: Annotated[
        str | None, typer.Argument(help="Which kind of part; left out, the kinds are listed.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what is installed of a kind: methods, spaces, figures, commands and so on."""
    import json
    from dataclasses import asdict

    from nasbench_suite import registry
    from nasbench_suite.commands.printing import print_lacks, print_rows

    if kind is None:
        kinds = [
            {"name": one.name, "summary": one.summary, "installed": len(registry.entries(one.name))}
            for one in registry.KINDS.values()
        ]
        content: list[dict[str, object]] = list(kinds)
        heads: tuple[str, ...] = ("kind", "installed", "what it is")
        lines: list[tuple[str, ...]] = [
            (str(one["name"]), str(one["installed"]), str(one["summary"])) for one in kinds
        ]
        lacks: list[str] = []
    else:
        found = registry.describe(kind)
        content = [asdict(one) for one in found]
        heads = (registry.choose_kind(kind).one, "what it is")
        lines = [*map(_line, found)]
        lacks = [one.lack for one in found]
    if as_json:
        typer.echo(json.dumps(content, indent=2))
    elif lines:
        print_rows(heads, lines)
        print_lacks(lacks)
    else:
        typer.echo(f"No {registry.choose_kind(str(kind)).one} is registered.", err=True)


def _line(listed: Listed) -> tuple[str, str]:
    """The name of a part and what is said of it."""
    from nasbench_suite.commands.printing import MARK

    aliases = f" Also {', '.join(listed.aliases)}." if listed.aliases else ""
    source = "" if listed.distribution == "nasbench-suite" else f" (from {listed.distribution})"
    name = f"{listed.name} {MARK}" if listed.fault else listed.name
    return name, f"{listed.summary}{aliases}{source}"
