"""The report's panel of searches for several objectives."""

from __future__ import annotations

from nasbench_suite.analysis.fronts import results_indicators
from nasbench_suite.analysis.results import Results, one_task
from reports.figures.attainment import TRUE_FRONT
from reports.figures.gallery import choose_figure
from reports.html.panels import Block, PlacedPanel, Section, gallery_block, task_tags
from reports.labels import labels_of
from reports.tables.fronts import fronts_sheet


def pareto_panel(results: Results) -> Section | None:
    """Indicators of the fronts, and attainment, of every task with several objectives."""
    several = [key for key, task in results.tasks.items() if task.measure is not None]
    finished = {key for key in several if len(results.finished_on(key))}
    if not any(key in finished for key in several):
        return None
    indicators = results_indicators(results)
    sheet = fronts_sheet(results, indicators)
    blocks = [
        _attainment(one_task(results, results.names[key]), f"pareto{number}-attainment")
        for number, key in enumerate(several)
        if key in finished
    ]
    text = " ".join(sheet.legend)
    return Section("pareto", "Pareto fronts", text, sheet.tables, blocks)


def _attainment(alone: Results, key: str) -> Block:
    ((task_key, task),) = alone.tasks.items()
    name = alone.names[task_key]
    data = choose_figure("attainment").table(alone)
    labels = labels_of(alone)
    methods = [str(m) for m in dict.fromkeys(data["method"]) if m != TRUE_FRONT]
    return gallery_block(
        alone,
        "attainment",
        key,
        title=f"{name}: attainment.",
        data=data,
        task=name,
        tags=task_tags(task),
        notes=" ".join(
            filter(
                None, (labels.circumstances(o, task) for o in (task.measure or {})["objectives"])
            )
        ),
        spoken=f"Median attainment surfaces of {', '.join(methods)} on {name}, "
        f"{data['y_label'].iloc[0]} against {data['x_label'].iloc[0]}".replace("\n", ", "),
    )


PARETO = PlacedPanel(pareto_panel, 4, "Indicators of fronts, and attainment, where there are any.")
