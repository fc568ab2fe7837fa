"""``nasbench site``: a static site from a folder of submissions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def site(
    folder: Annotated[Path, typer.Argument(help="Folder with submissions.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to write the site into.")
    ] = Path("site"),
    title: Annotated[
        str, typer.Option(help="Title of the page; by default that it is a leaderboard.")
    ] = "",
) -> None:
    """Verify the submissions of a folder and write them as a site that needs no server."""
    from nasbench_suite.commands.submit import report_merge, telling
    from nasbench_suite.parsing import counted
    from reports.site import write_site

    with telling() as tell:
        merge = write_site(folder, output, title=title, tell=tell)
    report_merge(merge)
    typer.echo(
        f"{output / 'index.html'}: {counted(merge.trials, 'trial')} of "
        f"{counted(len(merge.accepted), 'submission')}"
    )
