"""One name, colour and marker a method in every figure of a results file, however it is drawn."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import reports.figures
from nasbench_suite.analysis.curves import anytime_curves as read_curves
from nasbench_suite.analysis.results import read_results
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.commands.app import build_app
from nasbench_suite.runner import run
from nasbench_suite.tasks import Method, Session
from reports.figures import gallery
from reports.figures.anytime import draw_anytime
from reports.figures.attainment import draw_attainment
from reports.figures.comparison import (
    critical_difference,
    draw_critical_difference,
    draw_distribution,
    improvement_data,
    profiles,
    profiles_data,
)
from reports.figures.gallery import choose_figure, list_figures, make_panels
from reports.figures.methods import draw_band, numbered_styles
from reports.figures.style import inks, paper_style
from reports.labels import present

mpl.use("agg")
SHOWN = {"random": "Random search", "local-search": "Local search", "nsga2": "NSGA-II"}
EPOCHS = 3


@dataclass
class Aaa(Method):
    """A method that comes first by its name: it derives an architecture an epoch, and logs."""

    def start(self, session: Session) -> None:
        self.epoch = 0

    def step(self, session: Session) -> None:
        self.epoch += 1
        session.log(
            self.epoch,
            dominant_eigenvalue=session.rng.random(),
            entropy=1 / self.epoch,
            discretisation_gap=session.rng.random(),
            node_variance=1 + session.rng.random((2, 3)),
            edge_variance=1 + session.rng.random((2, 6)),
        )
        session.recommend(int(session.rng.integers(session.space.size)))

    @property
    def finished(self) -> bool:
        return self.epoch >= EPOCHS


@pytest.fixture(scope="module")
def stores(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A results file of one objective and one of two; the last method would be first by name."""
    folder = tmp_path_factory.mktemp("looks")
    one, two = folder / "one.sqlite", folder / "two.sqlite"
    settings: dict[str, Any] = {"seeds": range(4), "evaluations": 30}
    run(toy, ["random", "local-search", ("aaa", Aaa())], store=one, **settings)
    run(toy, ["random", "nsga2"], store=two, objectives=["toy_train_time_9"], **settings)
    return {"one": one, "two": two}


def store_of(stores: dict[str, Path], figure: str) -> Path:
    return stores["two" if figure == "attainment" else "one"]


def python_calls() -> dict[str, Callable[..., Axes]]:
    """Every public function of the rooms of figures that draws a results file on axes."""
    found: dict[str, Callable[..., Axes]] = {}
    for room in pkgutil.iter_modules(reports.figures.__path__, "reports.figures."):
        module = import_module(room.name)
        for name, member in vars(module).items():
            if inspect.isfunction(member) and member.__module__ == room.name:
                taken = inspect.signature(member).parameters
                if not name.startswith("_") and {"store", "ax"} <= taken.keys():
                    found[name] = member
    assert len(found) >= 6
    return found


def words(ax: Axes) -> str:
    figure = ax.get_figure()
    assert figure is not None
    return " | ".join(text.get_text() for text in figure.findobj(mpl.text.Text))


def check_looks(ax: Axes, path: Path, figure: str) -> None:
    """Hold names, colours and markers against the order in which the methods were first run."""
    known = {"one": ["random", "local-search", "aaa"], "two": ["random", "nsga2"]}[path.stem]
    names = [SHOWN.get(label, label) for label in known]
    styles = list(numbered_styles({name: n for n, name in enumerate(names)}).values())
    seen = set()
    for number, artist in numbered(ax):
        style, colour = styles[number], ""
        if isinstance(artist, Line2D) and artist.get_marker() not in ("None", ""):
            colour = to_hex(artist.get_color())
            assert artist.get_marker() == style["marker"], figure
            if str(artist.get_label()) in names:
                assert str(artist.get_label()) == names[number], figure
        elif isinstance(artist, PathCollection):
            colour = to_hex(artist.get_facecolor()[0])
        elif isinstance(artist, mpl.text.Text) and len(artist.get_text().split("  ")) == 1:
            assert artist.get_text() == names[number], figure
        if colour and colour != inks().text:
            seen.add(number)
            assert colour == to_hex(style["color"]), figure
    said = words(ax)
    assert seen, figure
    for number in seen:
        assert names[number] in said, figure
    assert not [label for label in ("local-search", "nsga2") if label in said], figure


def numbered(ax: Axes) -> Iterator[tuple[int, Any]]:
    for artist in ax.findobj(lambda one: str(one.get_gid() or "").startswith("m")):
        yield int(str(artist.get_gid())[1:].partition(".")[0]), artist


@pytest.mark.parametrize("name", list_figures())
def test_the_command_and_the_class_draw_a_method_alike(
    name: str, stores: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(gallery, "save_figure", lambda figure, path: drawn.append(figure))
    path = store_of(stores, name)
    given = ["figure", name, "--store", str(path), "-o", str(tmp_path / "f.pdf")]
    build_app()(given, standalone_mode=False)
    check_looks(drawn[0].axes[0], path, name)
    check_looks(choose_figure(name).plot(path, Figure().subplots()), path, name)
    if name != "attainment":  # of one method alone too
        with paper_style():
            build_app()([*given, "--methods", "local-search,aaa"], standalone_mode=False)
            check_looks(drawn[1].axes[0], path, name)


@pytest.mark.parametrize("name", python_calls())
def test_a_call_draws_a_method_as_the_command_does(name: str, stores: dict[str, Path]) -> None:
    path = store_of(stores, name)
    figure = Figure()
    axes = figure.subplots(1, 2)
    for ax in axes:  # beside another as well
        assert python_calls()[name](path, ax=ax) is ax
        check_looks(ax, path, name)
        assert not ax.get_title(loc="left")
    alone = python_calls()[name](path)
    check_looks(alone, path, name)
    assert bool(alone.get_title(loc="left")) == (len(read_results(path).tasks) == 1)
    mpl.pyplot.close("all")


def test_a_method_that_is_run_later_takes_no_colour_from_another(
    toy: Benchmark, tmp_path: Path
) -> None:
    path = tmp_path / "r.sqlite"
    run(toy, "random,local-search", seeds=2, evaluations=10, store=path)
    before = numbered_styles(present(read_results(path)).styles)
    run(toy, [("aaa", Aaa())], seeds=2, evaluations=10, store=path)
    run(toy, [(f"b{number}", Aaa()) for number in range(7)], seeds=1, evaluations=10, store=path)
    after = numbered_styles(present(read_results(path)).styles)
    assert {name: after[name] for name in before} == before
    looks = [(to_hex(style["color"]), style["marker"]) for style in after.values()]
    assert len(set(looks)) == 10
    assert len({colour for colour, _ in looks[:8]}) == 8


def test_beside_another_figure_a_legend_says_what_no_other_does(stores: dict[str, Path]) -> None:
    left, right = Figure().subplots(1, 2)
    critical_difference(stores["one"], ax=left)
    profiles(stores["one"], ax=right)
    assert {text.get_text() for text in right.get_legend().get_texts()} >= {"Random search"}
    left, right = Figure().subplots(1, 2)
    for ax in (left, right):
        profiles(stores["one"], ax=ax)
    assert left.get_legend() is not None
    assert right.get_legend() is None


def test_frames_have_shown_names_by_table_and_those_of_the_results_by_data(
    stores: dict[str, Path],
) -> None:
    results = read_results(stores["one"])
    shown = {"Random search", "Local search", "aaa"}
    assert set(choose_figure("profile").table(results)["method"]) == shown
    assert set(profiles_data(results)["method"]) == {"random", "local-search", "aaa"}
    assert set(profiles_data(present(results))["method"]) == shown
    assert set(read_curves(stores["one"])["method"]) == {"random", "local-search", "aaa"}
    for name in ("local-search", "Local search"):
        frame = improvement_data(present(results), name)
        assert set(frame["against"]) == {"Local search"}


# -- what is drawn is seen -------------------------------------------------------------------------


def drawn(ax: Axes) -> Axes:
    figure = ax.get_figure(root=True)
    assert figure is not None
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    return ax


def axes() -> Axes:
    return Figure().subplots()


def curves_to(regrets: list[float]) -> pd.DataFrame:
    frame = pd.DataFrame({"budget": np.arange(1.0, len(regrets) + 1), "regret": regrets})
    frame = frame.assign(low=frame["regret"] - 0.4, high=frame["regret"] + 0.4, method="m")
    return frame.assign(task="t", unit="%", noise_floor=0.5)


@pytest.mark.parametrize("log", [True, False])
def test_regrets_below_zero_are_on_the_axis_and_counted(log: bool) -> None:
    def draw(regrets: list[float]) -> Axes:
        return drawn(draw_anytime(curves_to(regrets), axes(), by="evaluations", log=log))

    ax = draw([5, 1, 0, -1.5])
    bottom, top = ax.get_ylim()
    assert bottom <= -1.9
    assert top >= 5.4
    assert min(ax.get_yticks()) < 0
    assert "2 of 4 points ≤ 0" in [text.get_text() for text in ax.texts]
    ax = draw([5, 3, 1])
    assert not [text for text in ax.texts if "≤" in text.get_text()]
    assert min(ax.get_yticks()) == 0


def test_a_curve_that_comes_to_zero_is_not_drawn_on_the_edge() -> None:
    frame = curves_to([5, 1, 0]).assign(low=0.0)
    ax = drawn(draw_anytime(frame, Figure().subplots(), by="evaluations"))
    assert ax.transData.transform((1, 0))[1] > ax.bbox.y0 + 2


@pytest.mark.parametrize("log", [True, False])
def test_what_is_within_noise_is_grey_down_to_the_end_of_the_axis(log: bool) -> None:
    ax = drawn(draw_anytime(curves_to([5, 1, 0, -0.2]), axes(), by="evaluations", log=log))
    (grey,) = [patch for patch in ax.patches if to_hex(patch.get_facecolor()) == inks().band]
    bottom, top = grey.get_path().get_extents(grey.get_patch_transform()).intervaly
    assert (bottom, top) == (pytest.approx(ax.get_ylim()[0]), 0.5)


@pytest.mark.parametrize("regrets", [[5, 4, 3, 2], [5] * 10])
def test_a_short_axis_of_a_budget_has_plain_numbers(regrets: list[float]) -> None:
    ax = drawn(draw_anytime(curves_to(regrets), axes(), by="evaluations"))
    told = [text.get_text() for text in ax.xaxis.get_ticklabels(which="both") if text.get_text()]
    assert {"1", "2"} <= set(told)
    assert not [text for text in told if "^" in text]


def test_every_run_stands_clear_of_the_axes() -> None:
    regrets = [0.0, 0.3, 0.4, 2.0]
    frame = pd.DataFrame({"method": "m", "regret": regrets, "unit": "points"})
    ax = drawn(draw_distribution(frame, Figure().subplots()))
    (dots,) = [part for part in ax.collections if isinstance(part, PathCollection)]
    radius = 0.5 * np.sqrt(dots.get_sizes()[0]) * ax.figure.dpi / 72
    places = ax.transData.transform(np.asarray(dots.get_offsets()))[:, 0]
    assert places.min() - radius > ax.bbox.x0
    assert places.max() + radius < ax.bbox.x1


def test_no_marker_of_a_rank_hides_another_and_the_axis_has_a_title() -> None:
    ranks = [1.5, 1.5, 2.99, 3.0, 6.0]
    frame = pd.DataFrame({"method": list("abcde"), "mean_rank": ranks, "critical_difference": 2.0})
    for inches in (5.5, 3.25):
        with paper_style():
            figure = Figure(figsize=(inches, 2.0), layout="constrained")
            ax = drawn(draw_critical_difference(frame, figure.subplots()))
        dots = [line for line in ax.get_lines() if line.get_marker() != "None"]
        places = np.array([ax.transData.transform(dot.get_xydata()[0]) for dot in dots])
        apart = np.linalg.norm(places[:, None] - places, axis=2)[np.triu_indices(5, 1)]
        assert len(dots) == 5
        assert apart.min() > 0.75 * dots[0].get_markersize() * figure.dpi / 72
        boxes = [text.get_window_extent() for text in ax.texts]
        assert any("mean rank" in text.get_text() for text in ax.texts)
        for place, box in enumerate(boxes):
            assert not [other for other in boxes[:place] if box.overlaps(other)]
            assert not [dot for dot in places if box.contains(*dot)]


def test_bands_of_many_methods_let_each_other_through() -> None:
    for curves in range(1, 15):
        ax = Figure().subplots()
        band = draw_band(ax, [0, 1], ([0, 0], [1, 1]), "#0173b2", curves)
        (face,), (edge,) = band.get_facecolor(), band.get_edgecolor()  # type: ignore[attr-defined]
        assert 1 - (1 - face[3]) ** curves < 0.4
        assert edge[3] > 2 * face[3]


def front(cost: float, label: str) -> pd.DataFrame:
    x = cost * np.array([1.0, 2.0, 10.0, 1.2, 3.0, 9.0])
    method = ["true front"] * 3 + ["m"] * 3
    frame = pd.DataFrame({"method": method, "share": [1.0] * 3 + [0.5] * 3, "x": x})
    return frame.assign(
        y=[85.0, 90.0, 94.0, 84.0, 89.0, 93.0],
        x_label=label,
        y_label="test accuracy (%)",
        x_direction="minimize",
        y_direction="maximize",
        front_label="true front",
        middle=0.5,
    )


def test_costs_over_a_wide_range_fill_the_axes() -> None:
    ax = drawn(draw_attainment(front(1.0, "latency (ms)"), Figure().subplots()))
    assert ax.get_xscale() == "log"
    left, middle, right = (ax.transData.transform((x, 90))[0] for x in (1.0, np.sqrt(10), 10.0))
    assert abs(middle - (left + right) / 2) < 2
    bounded = front(1.0, "latency (ms)")
    bounded["x"] = 8 + 0.1 * bounded["x"]
    assert draw_attainment(bounded, Figure().subplots()).get_xscale() == "linear"


def test_labels_of_panels_are_apart_and_say_nothing_twice() -> None:
    label = "CIFAR-100 energy on Raspberry Pi 5, ONNX Runtime (mJ)"
    tasks = {f"B, C, energy on {number}": front(2.0, label) for number in range(3)}
    with paper_style():
        figure = make_panels("attainment", tasks)
        FigureCanvasAgg(figure)
        figure.draw_without_rendering()
        boxes = [ax.xaxis.label.get_window_extent() for ax in figure.axes]
        width = figure.bbox.width
        for left, right in pairwise(boxes):
            assert left.x1 < right.x0
        assert all(-1 < box.x0 < box.x1 < width + 1 and box.y0 > -1 for box in boxes)
        told = {}
        for metric in ("C10 test accuracy", "C100 test accuracy"):
            told[f"B, C, {metric}"] = curves_to([5, 1, 0.5])
            told[f"B, C, {metric}"].attrs["metric"] = metric
        figure = make_panels("anytime", told)
    assert [ax.get_ylabel() for ax in figure.axes] == ["regret (points)"] * 2
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        title.removeprefix("B, C, ") for title in told
    ]


def test_ranks_over_some_seeds_alone_say_so(toy: Benchmark, tmp_path: Path) -> None:
    few = tmp_path / "few.sqlite"
    run(toy, "random,local-search", seeds=range(3), store=few, evaluations=20)
    figure = choose_figure("critical-difference")
    assert figure.table(read_results(few)).attrs["common"] == ()
    run(toy, "random", seeds=range(3, 8), store=few, evaluations=20)
    said = "mean ranks are over the 3 seeds that all methods have"
    assert said in figure.table(read_results(few)).attrs["common"]
    run(toy, "random,local-search", seeds=range(3), store=few, evaluations=30)
    said = "mean ranks are over the 6 seeds of the tasks that all methods have"
    assert said in figure.table(read_results(few)).attrs["common"]
