"""``nasbench space``: search spaces and their architectures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from nasbench_suite.spaces import SearchSpace

app = typer.Typer(help="Search spaces: look at and draw architectures.")

_FORMATS = (".svg", ".png", ".pdf", ".dot")

_Architecture = Annotated[
    str,
    typer.Argument(metavar="ARCH", help="String, index, or vector of choices such as 0,1,2,3,4,0."),
]
_Space = Annotated[str, typer.Option("--space", help="Name of the search space.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_command(as_json: _Json = False) -> None:
    """List the search spaces."""
    import json

    import numpy as np

    from nasbench_suite.commands.printing import print_lacks, print_table
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.spaces import FiniteSpace, list_spaces, load_space

    spaces, lacks = [], []
    for name in list_spaces():
        try:
            spaces.append(load_space(name))
        except SuiteError as error:  # another package's fault, and no other space's
            lacks.append(str(error))
    rng = np.random.default_rng(0)
    if as_json:
        found = [
            {
                "name": space.name,
                "architectures": space.size,
                "classes": len(space.representatives) if isinstance(space, FiniteSpace) else None,
                "choices": space.choices,
                "aliases": space.aliases,
                "example": space.string(0 if isinstance(space, FiniteSpace) else space.sample(rng)),
            }
            for space in spaces
        ]
        typer.echo(json.dumps(found, indent=2))
        return
    rows = []
    for space in spaces:
        options = ", ".join(map(str, sorted(set(space.choices)))) or "-"
        size = "unknown" if space.size is None else f"{space.size:,}"
        classes = f"{len(space.representatives):,}" if isinstance(space, FiniteSpace) else "unknown"
        counts = size, classes, str(len(space.choices) or "-")
        rows.append((space.name, *counts, options))
    print_table(("space", "architectures", "classes", "decisions", "options"), rows)
    print_lacks(lacks)


@app.command("show")
def show_command(
    architecture: _Architecture, space: _Space = "nats-tss", as_json: _Json = False
) -> None:
    """Show an architecture in its three forms, and its isomorphism class."""
    import json

    from nasbench_suite.spaces import load_space

    facts = _describe(load_space(space), architecture)
    if as_json:
        typer.echo(json.dumps(facts, indent=2, default=str))
        return
    if "vector" in facts:
        facts["vector"] = ",".join(map(str, facts["vector"]))
    if "class size" in facts:
        facts["class size"] = f"{facts['class size']} (lowest index {facts.pop('representative')})"
    facts["connected"] = "yes" if facts["connected"] else "no: no path from input to output"
    for key, value in facts.items():
        typer.echo(f"{key:<10}  {value}")


@app.command("draw")
def draw_command(
    architecture: _Architecture,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write: .svg, .png, .pdf or .dot.")
    ],
    space: _Space = "nats-tss",
) -> None:
    """Draw an architecture into a file."""
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.files.atomic import need_folder, replacing, write_text
    from nasbench_suite.spaces import load_space

    if output.suffix not in _FORMATS:
        raise SuiteError(
            f"Cannot draw into {str(output)!r}: end its name in {', '.join(_FORMATS)}."
        )
    need_folder(output)
    where = load_space(space)
    read = _read(where, architecture)
    if output.suffix == ".dot":
        write_text(output, where.dot(read))
        return
    import matplotlib.pyplot as plt

    where.draw(read)
    with replacing(output) as partial:
        plt.savefig(partial, format=output.suffix[1:], bbox_inches="tight", dpi=200)
    plt.close()


def _read(space: SearchSpace, text: str) -> Any:
    """The architecture written on the command line, as the space's own value.

    A string of the space counts as one even where it consists of digits alone.
    """
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.parsing import parse_numbers

    try:
        return space.read(text)
    except SuiteError:
        try:
            numbers = parse_numbers(text)
        except SuiteError:
            pass
        else:
            return space.read(numbers if len(numbers) > 1 else numbers[0])
        raise


def _describe(space: SearchSpace, text: str) -> dict[str, Any]:
    from nasbench_suite.spaces import FiniteSpace

    architecture = _read(space, text)
    facts: dict[str, Any] = {"space": space.name, "string": space.string(architecture)}
    if isinstance(space, FiniteSpace):
        facts["index"] = architecture
    if space.choices:
        facts["vector"] = list(space.vector(architecture))
    facts["canonical"] = space.canonical(architecture)
    if isinstance(space, FiniteSpace):
        label = space.classes[architecture]
        facts["class size"] = int((space.classes == label).sum())
        facts["representative"] = int(space.representatives[label])
    return {**facts, "connected": space.is_connected(architecture)}
