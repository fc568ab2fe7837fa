"""The report's explorer: a whole space, accuracy against cost, and each method's path through it.

It is there for every task whose table is at hand and has a cost; a page holds the figures of a
table once, as 32-bit numbers.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.analysis.results import Results
from nasbench_suite.benchmarks import Benchmark, Metric
from nasbench_suite.benchmarks.quantities import COSTS
from nasbench_suite.rows import TaskRow
from reports.credits import table_at_hand
from reports.figures.methods import numbered_styles
from reports.html.panels import PlacedPanel, Section, task_tags
from reports.labels import Labels, present

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_METRICS = 12  # of a table, in a page
_MOST_TEXT = 400_000  # characters of strings of architectures, in a page
_MOST_TASKS = 8
_TEXT = (
    "Every architecture of the table: what the task is judged by, against a cost. A line is the "
    "path of a method: what it would have returned, as its search went on, in the search of median "
    "outcome. Press a point for its architecture and all its figures."
)


def explorer_panel(results: Results) -> Section | None:
    """A picture to move in, for each task whose table is at hand."""
    presented = present(results)
    tables: dict[str, dict[str, Any]] = {}
    tasks: list[dict[str, Any]] = []
    for key, task in presented.tasks.items():
        if task.measure is not None or len(tasks) == _MOST_TASKS:
            continue
        table = table_at_hand(task)
        if table is None or not _costs(table):
            continue
        checksum = str(task.config.get("checksum"))
        if checksum not in tables:
            judged = {other.report_metric for other in presented.tasks.values()}
            tables[checksum] = _figures(table, presented.labels, judged)
        if task.report_metric not in tables[checksum]["metrics"]:
            continue
        tasks.append(
            {
                "name": presented.names[key],
                "tags": task_tags(task),
                "table": checksum,
                "y": task.report_metric,
                "x": _costs(table)[0],
                "paths": _paths(presented, key, task),
            }
        )
    if not tasks:
        return None
    looks = {name: _look(style) for name, style in numbered_styles(presented.styles).items()}
    content = json.dumps({"tables": tables, "tasks": tasks, "looks": looks}, sort_keys=True)
    markup = f'<div class="explorer" data-content="{_attribute(content)}"></div>'
    return Section("explorer", "Explorer", _TEXT, (), (), markup)


def _costs(table: Benchmark) -> list[str]:
    """Metrics of cost, counts of parameters and operations first."""
    found = [m for m in table.metrics.values() if m.quantity in COSTS]
    preferred = ("parameters", "flops", "macs", "latency", "training_time")
    order = {name: place for place, name in enumerate(preferred)}
    found.sort(key=lambda metric: order.get(metric.quantity, len(order)))
    return [metric.name for metric in found]


def _figures(table: Benchmark, labels: Labels, judged: set[str]) -> dict[str, Any]:
    """What the page holds of a table: first what tasks are judged by."""
    accuracies = [m.name for m in table.metrics.values() if m.quantity not in COSTS]
    accuracies.sort(key=lambda name: name not in judged)
    chosen = [*accuracies[: _MOST_METRICS // 2], *_costs(table)][:_MOST_METRICS]
    space = table.space
    content: dict[str, Any] = {
        "space": getattr(space, "origin", space).name,
        "size": space.size,
        "metrics": {
            name: {
                "label": _label(table.metric(name), labels),
                "unit": table.metric(name).unit,
                "values": _packed(table.values(name).astype("<f4")),
            }
            for name in chosen
        },
    }
    if space.choices and len(space.choices) * space.size < _MOST_TEXT:
        vectors = np.array([space.vector(index) for index in range(space.size)], dtype=np.uint8)
        content["vectors"] = _packed(vectors)
        content["choices"] = list(space.choices)
    else:
        strings = "\n".join(space.string(index) for index in range(space.size))
        if len(strings) < _MOST_TEXT:
            content["strings"] = strings
    return content


def _label(metric: Metric, labels: Labels) -> str:
    """What a metric is, and under which conditions it was measured."""
    label = labels.metric(metric.name, device=metric.device)
    return ", ".join(filter(None, [label, metric.conditions]))


def _paths(results: Results, key: str, task: TaskRow) -> dict[str, list[int]]:
    """What the search of median outcome of each method would have returned, as it went on."""
    finished = results.finished_on(key)
    changes = results.incumbents_on(key)
    paths = {}
    for method, trials in finished.groupby("method", sort=False):
        middle = trials.sort_values(["report", "seed"]).iloc[(len(trials) - 1) // 2]
        path = changes.loc[changes["trial"] == middle["trial"], "architecture"]
        paths[str(method)] = [int(index) for index in path]
    return paths


def _packed(values: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def _look(style: Mapping[str, Any]) -> dict[str, Any]:
    """A method's looks in figures for a page to draw: what tells it from those of its colour too.

    Its marker is corners in a square from -1 to 1, ``y`` downwards; its dash is lengths in widths
    of the line.
    """
    from matplotlib.markers import MarkerStyle

    marker = MarkerStyle(style["marker"])
    (corners, *_) = marker.get_path().transformed(marker.get_transform()).to_polygons()
    corners = np.asarray(corners) * [1, -1]
    dash = style["linestyle"]
    return {
        "colour": "#" + "".join(f"{round(255 * part):02x}" for part in style["color"]),
        "marker": np.round(corners[:-1] / np.abs(corners).max(), 3).tolist(),  # the last is first
        "dash": [] if isinstance(dash, str) else list(dash[1]),
    }


def _attribute(text: str) -> str:
    from html import escape

    return escape(text, quote=True)


EXPLORER = PlacedPanel(explorer_panel, 0.5, "The whole space, accuracy against cost, with paths.")

__all__ = ["EXPLORER", "explorer_panel"]
