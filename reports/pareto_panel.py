"""The report's panel of searches for several objectives."""

from __future__ import annotations

import shlex

from nasbench_suite.metrics.fronts import results_indicators
from nasbench_suite.metrics.results import Results
from reports.fronts import fronts_report
from reports.gallery import one_task
from reports.panels import Block, Section, inline_svg, screen_style, task_tags
from reports.pareto_figures import TRUE_FRONT, attainment_data, draw_attainment
from reports.style import figure_width


def pareto_panel(results: Results) -> Section | None:
    """Indicators of the fronts, and attainment, of every task with several objectives."""
    several = [key for key, task in results.tasks.items() if task.measure is not None]
    finished = set(results.finished["task_key"])
    if not any(key in finished for key in several):
        return None
    indicators = results_indicators(results)
    report = fronts_report(results, indicators)
    blocks = [
        _attainment(one_task(results, results.names[key]), f"pareto{number}-attainment")
        for number, key in enumerate(several)
        if key in finished
    ]
    text = " ".join(report.legend)
    return Section("pareto", "Pareto fronts", text, report.tables, blocks)


def _attainment(alone: Results, key: str) -> Block:
    from matplotlib.figure import Figure

    ((task_key, task),) = alone.tasks.items()
    name = alone.names[task_key]
    data = attainment_data(alone)
    width = figure_width("screen")
    with screen_style():
        figure = Figure(figsize=(width, 0.7 * width), layout="constrained")
        draw_attainment(data, figure.subplots())
        svg = inline_svg(figure, key)
    methods = [str(m) for m in dict.fromkeys(data["method"]) if m != TRUE_FRONT]
    words = ["nasbench", "fronts", "--store", alone.path.name, "--benchmark", task.benchmark]
    words += ["--dataset", task.dataset] if task.dataset else []
    return Block(
        key=key,
        title=f"{name}: attainment.",
        caption="What half of each method's searches reached or did better than, beside the true "
        "front.",
        svg=svg,
        data=data,
        command=shlex.join([*words, "--figure", "attainment.svg"]),
        spoken=f"Median attainment surfaces of {', '.join(methods)} on {name}, "
        f"{data['y_label'].iloc[0]} against {data['x_label'].iloc[0]}",
        tags=task_tags(task),
    )
