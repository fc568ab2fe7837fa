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

    if kind is None:
        kinds = [
            {"name": one.name, "summary": one.summary, "installed": len(registry.entries(one.name))}
            for one in registry.KINDS.values()
        ]
        lines = [(str(one["name"]), f"{one['installed']:>3}  {one['summary']}") for one in kinds]
        content: list[dict[str, object]] = list(kinds)
    else:
        found = registry.describe(kind)
        lines = [(one.name, _line(one)) for one in found]
        content = [asdict(one) for one in found]
    if as_json:
        typer.echo(json.dumps(content, indent=2))
        return
    width = max((len(name) for name, _ in lines), default=0)
    for name, text in lines:
        typer.echo(f"{name:<{width}}  {text}")
    if not lines:
        typer.echo(f"No {registry.choose_kind(str(kind)).one} is registered.", err=True)


def _line(listed: Listed) -> str:
    """What is said of a part after its name."""
    if listed.fault:
        return listed.fault
    aliases = f" Also {', '.join(listed.aliases)}." if listed.aliases else ""
    source = "" if listed.distribution == "nasbench-suite" else f" (from {listed.distribution})"
    return f"{listed.summary}{aliases}{source}"
