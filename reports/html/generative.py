"""The report's panel of generative models: reconstruction, validity, use of the latent.

It reads what ``nasbench vae compare --format json`` prints, or rows of the same columns that
anybody makes from ``nasbench_suite.analysis.generative.score_model``.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nasbench_suite.analysis.results import Results
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.unpacking import need_regular_file
from reports.html.panels import Block, Section, inline_svg, screen_style
from reports.tables.rendering import Table
from reports.tables.text import MISSING, number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SHARES = {  # column: heading
    "greedy_string": "greedy",
    "greedy_graph": "greedy, graph",
    "sampled_string": "10x10",
    "sampled_graph": "10x10, graph",
    "valid": "valid",
    "valid_unmasked": "valid, no mask",
    "unique_strings": "unique",
    "novel_strings": "novel",
}
FIGURES = {
    "kl": "KL (nats)",
    "active_units": "active units",
    "seconds": "training (CPU s)",
}
_DRAWN = ("greedy_string", "sampled_string", "valid_unmasked", "unique_strings")
_LARGEST = 1 << 24  # bytes of such figures; a model and seed takes a few hundred
_LEGEND = (
    "Cells held out, and all their isomorphic twins with them. Greedy: share that comes back from "
    "the posterior's mean; 10x10: ten latents a cell and ten cells a latent. Valid, without the "
    "mask that leaves the decoder valid cells alone, and unique among the valid: of draws from "
    "the prior. Mean and standard deviation over seeds, shares in percent."
)


def read_generative(path: str | Path) -> pd.DataFrame:
    """Figures of generative models, one row a model and seed.

    Args:
        path: a JSON list of objects with ``model``, ``seed`` and columns of ``SHARES`` (from 0
            to 1) and ``FIGURES``; others are left alone. A column may be missing.

    Raises:
        SuiteError: there is no such file, or it is another kind of file.
    """
    import pandas as pd

    need_regular_file(Path(path), _LARGEST)
    try:
        found = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise SuiteError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise SuiteError(_not_figures(path, "it is not JSON")) from error
    if not isinstance(found, list) or not found or not all(isinstance(row, dict) for row in found):
        raise SuiteError(_not_figures(path, "it is not a list of rows"))
    rows = pd.DataFrame(found)
    for name in ("model", "seed"):
        if name not in rows or rows[name].isna().any():
            raise SuiteError(_not_figures(path, f"a row has no {name!r}"))
    known = [name for name in (*SHARES, *FIGURES) if name in rows]
    if not known:
        raise SuiteError(_not_figures(path, "it has none of the figures"))
    for name in known:
        values = pd.to_numeric(rows[name], errors="coerce")
        if (values.isna() & rows[name].notna()).any():
            raise SuiteError(_not_figures(path, f"its {name!r} is not a number"))
        if name in SHARES and ((values < 0) | (values > 1)).any():
            raise SuiteError(f"{path} has a {name!r} outside 0 to 1: give shares, not percent.")
        rows[name] = values
    rows["model"] = rows["model"].astype(str)
    return rows[["model", "seed", *known]]


def _not_figures(path: str | Path, why: str) -> str:
    return (
        f"{path} holds no figures of generative models, as {why}: make it by "
        f"`nasbench vae compare FOLDER --format json > FILE`."
    )


def generative_panel(path: str | Path) -> Callable[[Results], Section]:
    """The panel of one such file; see ``read_generative`` for what it raises."""
    rows = read_generative(path)

    def panel(results: Results) -> Section:
        blocks = [_dots(rows, Path(path), results)] if any(n in rows for n in _DRAWN) else []
        return Section("generative", "Generative models", _LEGEND, [generative_table(rows)], blocks)

    return panel


def generative_table(rows: pd.DataFrame) -> Table:
    """Mean and standard deviation over seeds, a row a model.

    Args:
        rows: as ``read_generative`` gives them.
    """
    columns = {
        name: heading for name, heading in {**SHARES, **FIGURES}.items() if name in rows.columns
    }
    lines = []
    for model, group in rows.groupby("model", sort=False):
        cells = [_mean(group[name].to_numpy(float), name in SHARES) for name in columns]
        lines.append((str(model), str(group["seed"].nunique()), *cells))
    return Table(
        title="Reconstruction and generation",
        subtitle="",
        columns=("model", "seeds", *columns.values()),
        rows=tuple(lines),
        best=(False,) * len(lines),
        notes=(),
    )


def _mean(values: np.ndarray, is_share: bool) -> str:
    values = values[~np.isnan(values)] * (100 if is_share else 1)
    if not len(values):
        return MISSING
    digits = 2 if is_share else 1
    text = number(float(values.mean()), digits)
    return f"{text} ± {number(float(values.std(ddof=1)), digits)}" if len(values) > 1 else text


def _dots(rows: pd.DataFrame, path: Path, results: Results) -> Block:
    import matplotlib.pyplot as plt

    drawn = [name for name in _DRAWN if name in rows]
    with screen_style():
        figure, axes = plt.subplots(
            1, len(drawn), figsize=(9.0, 0.9 + 0.35 * rows["model"].nunique()), sharey=True
        )
        for name, ax in zip(drawn, np.atleast_1d(axes), strict=True):
            draw_shares(rows, name, ax)
        figure.tight_layout()
        svg = inline_svg(figure, "generative-dots")
        plt.close(figure)
    means = rows.groupby("model", sort=False)[drawn].mean()
    spoken = "; ".join(
        f"{model}: " + ", ".join(f"{SHARES[name]} {100 * row[name]:.1f} %" for name in drawn)
        for model, row in means.iterrows()
    )
    words = ["nasbench", "report", "--store", results.path.name, "--generative", path.name]
    return Block(
        key="generative-dots",
        title="Reconstruction, validity and uniqueness.",
        caption="A dot a seed, a bar their mean; percent.",
        svg=svg,
        data=rows,
        command=shlex.join(words),
        spoken=spoken,
    )


def draw_shares(rows: pd.DataFrame, name: str, ax: Axes) -> Axes:
    """One share of every model: a dot a seed, and their mean.

    Args:
        rows: as ``read_generative`` gives them.
        name: one of ``SHARES``.
        ax: where to draw; models stand on its y axis.
    """
    models = list(dict.fromkeys(rows["model"]))
    for height, model in enumerate(models):
        shares = 100 * rows.loc[rows["model"] == model, name].dropna()
        ax.plot(shares, np.full(len(shares), height), "o", ms=4, alpha=0.6, color="C0")
        if len(shares):
            ax.plot([shares.mean()], [height], "|", ms=14, mew=1.5, color="#262626")
    ax.set_yticks(range(len(models)), models)
    ax.set_ylim(len(models) - 0.5, -0.5)
    ax.set_xlim(-4, 104)
    ax.set_xlabel(SHARES[name])
    ax.spines[["top", "right"]].set_visible(False)
    return ax
