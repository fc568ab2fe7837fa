"""The report's explorer: a whole space, accuracy against cost, and each method's path through it.

It is there for every task whose table is at hand and has a cost, or several objectives; a page
holds the figures of a table once, as 32-bit numbers.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.analysis.results import Results
from nasbench_suite.benchmarks import Benchmark, Metric
from nasbench_suite.benchmarks.quantities import COSTS
from reports.credits import table_at_hand
from reports.figures.methods import numbered_styles
from reports.html.panels import PlacedPanel, Section, task_tags
from reports.labels import Labels, Presented, present

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_METRICS = 12  # of a table, in a page
_MOST_TEXT = 400_000  # characters of strings of architectures, in a page
_MOST_TASKS = 8
_TEXT = (
    "Every architecture of the table: what the task is judged by, against a cost. A line is the "
    "path of a method: what it would have returned, as its search went on, in the search of median "
    "outcome. On a task of several objectives these are drawn against each other, and a line is "
    "the front that the search of median outcome ended with. Press a point for its architecture "
    "and all its figures."
)


@dataclass(frozen=True)
class _Picture:
    """What is drawn of a task: two metrics of its table, against each other."""

    key: str
    table: Benchmark
    y: str
    x: str


def explorer_panel(results: Results) -> Section | None:
    """A picture to move in, for each task whose table is at hand."""
    presented = present(results)
    possible = list(_pictures(presented))
    pictures = possible[:_MOST_TASKS]
    if not pictures:
        return None
    used: dict[str, dict[str, None]] = {}  # metrics by table, as sets that keep their order
    for one in pictures:
        used.setdefault(one.table.checksum, {}).update(dict.fromkeys((one.y, one.x)))
    tables = {one.table.checksum: one.table for one in pictures}
    figures = {
        checksum: _figures(table, presented.labels, list(used[checksum]))
        for checksum, table in tables.items()
    }
    tasks = [_drawn(presented, one) for one in pictures]
    looks = {name: _look(style) for name, style in numbered_styles(presented.styles).items()}
    content = json.dumps({"tables": figures, "tasks": tasks, "looks": looks}, sort_keys=True)
    markup = f'<div class="explorer" data-content="{_attribute(content)}"></div>'
    left_out = len(possible) > _MOST_TASKS
    more = f" Here are the first {_MOST_TASKS} of {len(possible)} tasks." if left_out else ""
    return Section("explorer", "Explorer", _TEXT + more, (), (), markup)


def _pictures(results: Results) -> Iterator[_Picture]:
    """The tasks that can be drawn: the first two objectives, or the one against a cost."""
    for key, task in results.tasks.items():
        table = table_at_hand(task)
        if table is None:
            continue
        objectives = [str(one["name"]) for one in (task.measure or {}).get("objectives", ())]
        names = objectives or [task.report_metric, *_costs(table)]
        if len(names) > 1 and {*names[:2]} <= table.metrics.keys():
            yield _Picture(key, table, names[0], names[1])


def _drawn(results: Presented, picture: _Picture) -> dict[str, Any]:
    """What the page holds of a task."""
    task = results.tasks[picture.key]
    several = task.measure is not None
    return {
        "name": results.names[picture.key],
        "tags": task_tags(task),
        "table": picture.table.checksum,
        "y": picture.y,
        "x": picture.x,
        "front": several,
        "paths": (_fronts if several else _paths)(results, picture.key),
    }


def _costs(table: Benchmark) -> list[str]:
    """Metrics of cost, counts of parameters and operations first."""
    found = [m for m in table.metrics.values() if m.quantity in COSTS]
    preferred = ("parameters", "flops", "macs", "latency", "training_time")
    order = {name: place for place, name in enumerate(preferred)}
    found.sort(key=lambda metric: order.get(metric.quantity, len(order)))
    return [metric.name for metric in found]


def _figures(table: Benchmark, labels: Labels, used: Sequence[str]) -> dict[str, Any]:
    """What the page holds of a table: first what tasks are drawn by."""
    accuracies = [m.name for m in table.metrics.values() if m.quantity not in COSTS]
    accuracies.sort(key=lambda name: name not in used)
    further = [*accuracies[: _MOST_METRICS // 2], *_costs(table)]
    chosen = list(dict.fromkeys([*used, *further]))[: max(_MOST_METRICS, len(used))]
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


def _middles(results: Results, key: str) -> Iterator[tuple[str, int]]:
    """The search of median outcome of each method: the method, and the trial's number."""
    for method, trials in results.finished_on(key).groupby("method", sort=False):
        middle = trials.sort_values(["report", "seed"]).iloc[(len(trials) - 1) // 2]
        yield str(method), int(middle["trial"])


def _paths(results: Results, key: str) -> dict[str, list[int]]:
    """What the search of median outcome of each method would have returned, as it went on."""
    changes = results.incumbents_on(key).groupby("trial")["architecture"]
    paths = {trial: [int(index) for index in path] for trial, path in changes}
    return {method: paths.get(trial, []) for method, trial in _middles(results, key)}


def _fronts(results: Results, key: str) -> dict[str, list[int]]:
    """The front of the search of median outcome of each method, along the second objective."""
    middles = dict(_middles(results, key))
    points = results.store.fronts(middles.values())
    along = points[points["objective"] == 1].sort_values(["report", "architecture"])
    return {
        method: [int(index) for index in along.loc[along["trial"] == trial, "architecture"]]
        for method, trial in middles.items()
    }


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
