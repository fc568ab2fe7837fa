"""Figures and tables for papers: sizes, fonts, contents, and what is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose
from scipy import stats

from nasbench_suite.analysis.results import Results, choose_task, one_task, read_results
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.commands.app import build_app
from nasbench_suite.errors import SuiteError, SuiteWarning
from nasbench_suite.runner import run
from nasbench_suite.statistics.sample import round_figures
from nasbench_suite.tasks import Session
from reports.figures import comparison as figures
from reports.figures import gallery
from reports.figures.diagnostics import diagnostic_drawing
from reports.figures.gallery import (
    choose_figure,
    list_figures,
    write_paper_figure,
)
from reports.figures.methods import add_legend, method_styles, wrap_name
from reports.figures.style import WIDTHS
from reports.labels import present, read_labels
from reports.tables.paper import paper_table, paper_table_latex, paper_table_markdown
from search_methods.random_search import RandomSearch
from search_methods.regularized_evolution import RegularizedEvolution

mpl.use("Agg")
TASK = "toy/toy, 40 evaluations"
COMPARING = ("anytime", "critical-difference", "improvement", "profile", "distribution")


@pytest.fixture(scope="module")
def store(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("figures") / "r.sqlite"
    evolution = ("evolution", RegularizedEvolution(population_size=10, sample_size=5))
    for evaluations in (40, 80):
        run(
            toy,
            ["random", "local-search", evolution],
            seeds=range(10),
            store=path,
            evaluations=evaluations,
        )
    return path


@pytest.fixture(scope="module")
def results(store: Path) -> Results:
    return read_results(store)


@pytest.mark.parametrize("venue", ["neurips", "icml", "ieee"])
@pytest.mark.parametrize("width", ["column", "text"])
def test_pdfs_have_the_venues_width_and_embedded_fonts(
    results: Results, tmp_path: Path, venue: str, width: str
) -> None:
    path = tmp_path / "f.pdf"
    write_paper_figure(results, "improvement", path, venue=venue, width=width)
    content = path.read_bytes()
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ", content)
    assert box is not None
    assert float(box[1]) / 72 == pytest.approx(WIDTHS[venue][width], abs=0.01)
    assert b"/Subtype /Type3" not in content
    assert b"/FontFile2" in content


def test_column_widths_are_the_classes() -> None:
    assert WIDTHS["neurips"]["text"] == 5.5
    assert WIDTHS["icml"] == {"column": 3.25, "text": 6.75}
    assert WIDTHS["ieee"]["column"] == pytest.approx(3.487, abs=1e-3)


@pytest.mark.parametrize("name", COMPARING)
@pytest.mark.parametrize("ending", ["pdf", "svg", "png"])
def test_every_figure_in_every_form_twice_the_same(
    results: Results, tmp_path: Path, name: str, ending: str
) -> None:
    first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    for path in (first, second):
        frame = write_paper_figure(results, name, path, task=TASK)
    assert len(frame)
    assert first.read_bytes() == second.read_bytes()


def test_a_figure_of_one_task_has_a_panel_for_each_of_several(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What their names have in common is said once; one legend; one vertical label."""
    drawn: list[Figure] = []
    monkeypatch.setattr(gallery, "save_figure", lambda figure, path: drawn.append(figure))
    frame = write_paper_figure(results, "anytime", tmp_path / "f.pdf")
    (figure,) = drawn
    assert figure.get_size_inches()[0] == 5.5
    tasks = list(dict.fromkeys(frame["task"]))
    assert len(tasks) == len(results.tasks) > 1
    titles = [ax.get_title(loc="left").replace("\n", " ") for ax in figure.axes]
    said = [f"{figure.get_suptitle()}, {title}".split(", ") for title in titles]
    assert list(map(set, said)) == [set(task.split(", ")) for task in tasks]
    assert figure.get_suptitle()
    assert [ax.get_legend() for ax in figure.axes] == [None] * len(tasks)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == sorted(
        set(frame["method"]), key=list(dict.fromkeys(frame["method"])).index
    )
    assert [ax.yaxis.label.get_visible() for ax in figure.axes] == [True] + [False] * (
        len(tasks) - 1
    )
    monkeypatch.setattr(gallery, "_MOST_PANELS", 1)
    with pytest.raises(SuiteError, match="panels at most: choose by --task"):
        write_paper_figure(results, "anytime", tmp_path / "f.pdf")


def axes() -> mpl.axes.Axes:
    return Figure().subplots()


@pytest.mark.parametrize(
    "call",
    [figures.critical_difference, figures.profiles, figures.improvement, figures.distribution],
)
def test_python_calls_return_the_axes_they_drew_on(store: Path, call: object) -> None:
    ax = axes()
    assert call(store, ax=ax) is ax  # type: ignore[operator]
    assert ax.has_data()


def test_critical_differences_show_ranks_and_groups() -> None:
    frame = pd.DataFrame(
        {
            "method": ["a", "b", "c", "d"],
            "mean_rank": [1.2, 1.8, 3.2, 3.8],
            "critical_difference": 1.0,
        }
    )
    ax = figures.draw_critical_difference(frame, axes())
    texts = [text.get_text() for text in ax.texts]
    assert {"a  1.20", "b  1.80", "3.20  c", "3.80  d"} <= set(texts)
    thick = [line for line in ax.collections if line.get_linewidth()[0] == 3.0]
    spans = [np.ptp(line.get_segments()[0][:, 0]) for line in thick]
    assert len(spans) == 2
    assert all(0.6 <= span < 0.8 for span in spans)


def test_long_lists_are_cut_and_say_so() -> None:
    frame = pd.DataFrame(
        {
            "method": [f"m{i}" for i in range(30)],
            "mean_rank": np.linspace(2, 29, 30),
            "critical_difference": 3.0,
        }
    )
    ax = figures.draw_critical_difference(frame, axes())
    texts = " ".join(text.get_text() for text in ax.texts)
    assert "best 12 of 30 methods" in texts
    assert "m12" not in texts


def test_profiles_are_shares_of_regrets(results: Results) -> None:
    alone = one_task(results, TASK)
    frame = figures.profiles_data(alone)
    assert set(frame["unit"]) == {"points"}
    task = next(iter(alone.tasks.values()))
    for method, curve in frame.groupby("method"):
        reports = alone.trials.loc[alone.trials["method"] == method, "report"]
        regrets = round_figures(task.optimum, task.optimum) - round_figures(reports, task.optimum)
        expected = [(regrets <= threshold).mean() for threshold in curve["regret"]]
        assert_allclose(curve["share"], expected)
    several = figures.profiles_data(results)
    assert set(several["unit"]) == {"noise floors"}


def test_improvement_is_against_the_best_interquartile_mean(results: Results) -> None:
    frame = figures.improvement_data(results)
    floors = {key: task.noise_floor for key, task in results.tasks.items()}
    means = results.trials.groupby(["task_key", "method"])["report"].agg(stats.trim_mean, 0.25)
    overall = means.unstack(0).div(pd.Series(floors)).mean(axis=1)
    assert set(frame["against"]) == {overall.idxmax()}
    assert len(frame) == 2
    assert ((frame["low"] <= frame["improvement"]) & (frame["improvement"] <= frame["high"])).all()


def test_improvement_needs_two_methods(results: Results) -> None:
    (random,) = [key for key, name in results.named.items() if name == "random"]
    alone = replace(results, named={random: "random"})
    with pytest.raises(SuiteError, match="two methods"):
        figures.improvement_data(alone)


def test_distributions_hold_every_run(results: Results) -> None:
    frame = figures.distribution_data(results)
    assert frame.groupby("method").size().tolist() == [20] * 3
    # Some may be below 0: with crossed trainings the optimum is a lower bound.
    trials, tasks = results.finished, results.tasks
    optima = trials["task_key"].map({key: task.optimum for key, task in tasks.items()})
    floors = trials["task_key"].map({key: task.noise_floor for key, task in tasks.items()})
    regrets = (optima - trials["report"]) / floors
    # Figures and optima are rounded where they enter.
    np.testing.assert_allclose(np.sort(frame["regret"]), np.sort(regrets), atol=1e-6)


def test_distributions_leave_out_who_was_not_run_on_every_task(
    toy: Benchmark, tmp_path: Path
) -> None:
    path = tmp_path / "r.sqlite"
    run(toy, ["random", "local-search"], seeds=range(3), store=path, evaluations=10)
    run(toy, ["random", "tpe"], seeds=range(3), store=path, evaluations=20)
    frame = choose_figure("distribution").table(read_results(path))
    assert frame["method"].unique().tolist() == ["Random search"]
    assert frame.attrs["left_out"] == ["Local search", "TPE"]


@dataclass
class Stumbling(RegularizedEvolution):
    """Evolution of which every other trial fails."""

    population_size: int = 4
    sample_size: int = 2

    def start(self, session: Session) -> None:
        if session.seed % 2:
            raise ArithmeticError("a slip")
        super().start(session)


@pytest.mark.parametrize("name", COMPARING)
def test_figures_say_which_trials_failed(name: str, toy: Benchmark, tmp_path: Path) -> None:
    """As they draw what a failure counts as; those of methods that are not shown are not said."""
    path = tmp_path / "r.sqlite"
    run(
        toy,
        ["random", "local-search", ("half", Stumbling())],
        seeds=range(4),
        store=path,
        evaluations=10,
    )
    results = read_results(path)
    counts = "count as a random architecture or the worst that was reached"
    for shown, note in (
        (results, f"Trials that failed and {counts}: half (2)."),
        (present(results, methods=["random", "local-search"]), ""),
    ):
        figure = gallery.make_figure(name, choose_figure(name).table(shown))
        assert " ".join(figure.get_supxlabel().split()) == note


def test_panels_say_together_which_trials_failed(toy: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    for budget in (10, 20):
        methods = ["random", ("half", Stumbling())]
        run(toy, methods, seeds=range(4), store=path, evaluations=budget)
    results = present(read_results(path))
    chosen = choose_figure("anytime")
    frames = {name: chosen.table(one_task(results, name)) for name in results.names.values()}
    (legend,) = gallery.make_panels("anytime", frames).legends
    words = " ".join(legend.get_title().get_text().split())
    assert words.startswith("Trials that failed and count as")
    assert words.endswith("half (4).")
    for frame in frames.values():
        frame.attrs["failed"] = {}
    (legend,) = gallery.make_panels("anytime", frames).legends
    assert not legend.get_title().get_text()


def test_what_cannot_be_drawn_is_refused(results: Results, tmp_path: Path) -> None:
    for name, path, settings, sentence in (
        ("curve", "f.pdf", {}, "Unknown figure"),
        ("profile", "f.doc", {}, "no figure file"),
        ("profile", "no/f.pdf", {}, "no folder"),
        ("profile", "f.pdf", {"venue": "nature"}, "Unknown venue"),
        ("profile", "f.pdf", {"height": 99.0}, "impossible"),
        ("profile", "f.pdf", {"task": "toy/toy, 41 evaluations"}, "did you mean"),
    ):
        with pytest.raises(SuiteError, match=sentence):
            write_paper_figure(results, name, tmp_path / path, **settings)


def test_the_command_draws_and_writes_the_data(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = build_app()
    figure, data = tmp_path / "f.svg", tmp_path / "f.csv"
    app(
        ["figure", "profile", "--store", str(store), "-o", str(figure), "--data", str(data)],
        standalone_mode=False,
    )
    assert figure.read_text().startswith("<?xml")
    assert len(pd.read_csv(data)) == 300
    app(["figure"], standalone_mode=False)
    printed = capsys.readouterr().out
    assert all(name in printed for name in list_figures())


# -- tables ----------------------------------------------------------------------------------------


def test_paper_tables_mark_best_second_and_worse(results: Results) -> None:
    table = paper_table(results)
    trials = present(results).trials
    for column, key in enumerate(results.tasks):
        figures_of = trials[trials["task_key"] == key].pivot(
            index="seed", columns="method", values="report"
        )
        cells = {m: row[column] for m, row in zip(table.methods, table.cells, strict=True)}
        means = figures_of.mean().sort_values(ascending=False)
        assert [cells[m].place for m in means.index] == [1, 2, 3]
        best, *others = means.index
        p_values = [
            stats.wilcoxon(figures_of[best] - figures_of[m], zero_method="pratt").pvalue
            for m in others
        ]
        low, high = sorted(p_values)
        adjusted = {low: min(1.0, 2 * low), high: max(2 * low, high)}
        for method, p in zip(others, p_values, strict=True):
            assert cells[method].worse == (adjusted[p] < 0.05)
        assert not cells[best].worse


def test_latex_is_booktabs_with_marks(results: Results) -> None:
    text = paper_table_latex(paper_table(results, methods=["random", "local-search"]))
    assert text.count(r"\textbf{") == 2
    assert text.count(r"\underline{") == 2
    assert text.count(r"\\") == 3
    for part in (r"\toprule", r"\midrule", r"\bottomrule", r"$^{\dagger}$ IQM worse"):
        assert part in text
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize("statistic", ["mean", "median", "iqm"])
def test_markdown_tables_have_a_row_a_method(results: Results, statistic: str) -> None:
    lines = paper_table_markdown(paper_table(results, statistic=statistic)).splitlines()
    assert sum(line.startswith("|") for line in lines) == 2 + 3


def test_tables_refuse_the_unknown(results: Results) -> None:
    with pytest.raises(SuiteError, match="Unknown method"):
        paper_table(results, methods=["nobody"])
    with pytest.raises(SuiteError, match="Unknown statistic"):
        paper_table(results, statistic="mode")  # type: ignore[arg-type]


def test_long_names_cover_no_curve(tmp_path: Path) -> None:
    # Names as those of ablations are wrapped, and whole when the breaks are taken out.
    name = "vs-darts[sqrt_relaxation=False,normalised_nodes=none,local_rate=False]"
    lines = wrap_name(name).split("\n")
    assert "".join(lines) == name
    assert lines[1:] == ["sqrt_relaxation=False,", "normalised_nodes=none,", "local_rate=False]"]
    assert wrap_name("darts") == "darts"
    word = "x" * 120
    assert max(map(len, wrap_name(word).split("\n"))) <= 26
    assert wrap_name(word).replace("\n", "") == word
    for names in (["a", "b"], ["a", name], ["a", word]):
        figure = Figure(figsize=(3.25, 3.0), layout="constrained")
        ax = figure.subplots()
        for label in names:
            ax.plot([0, 1], label=label)
        add_legend(ax, names)
        figure.canvas.draw()
        legend = ax.get_legend()
        assert legend is not None
        assert legend.get_window_extent().y1 < ax.get_window_extent().y0
        assert legend.get_window_extent().x1 <= figure.bbox.x1
        assert [text.get_gid() is not None for text in legend.get_texts()] == [True, True]


def test_letters_that_the_font_lacks_are_told_in_one_sentence(
    toy: Benchmark,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By a command on standard error alone, in Python as a warning at the caller's line."""
    store, path = tmp_path / "r.sqlite", tmp_path / "f.png"
    methods = [(name, RandomSearch()) for name in ("名前 前", "$x$ <b>|&%#~^\\[" + "y" * 120)]
    run(toy, methods, seeds=range(2), store=store, evaluations=5)
    with pytest.warns(SuiteWarning) as told:
        write_paper_figure(read_results(store), "profile", path)
    (one,) = told
    assert str(one.message).startswith(f"{path}: the font STIXGeneral lacks 名 前, drawn as boxes")
    assert one.filename == __file__
    capfd.readouterr()
    with pytest.raises(SystemExit) as ended:
        build_app()(["figure", "profile", "--store", str(store), "-o", str(path)])
    assert not ended.value.code
    said = capfd.readouterr().err.splitlines()
    assert not caplog.records
    assert [line for line in said if "made the same evaluations" not in line] == [str(one.message)]


def test_a_method_looks_the_same_in_every_figure(results: Results) -> None:
    """Whatever else is shown, in whatever order: by its number among all of the results file."""
    looks = set()
    for methods in (None, ["random"], ["random", "local-search"]):
        shown = present(results, methods=methods)
        for name in ("profile", "improvement", "distribution"):
            if name == "improvement" and methods == ["random"]:
                continue
            frame = choose_figure(name).table(shown)
            if "Random search" in set(frame["method"]):
                style = method_styles(list(dict.fromkeys(frame["method"])), frame)["Random search"]
                looks.add((tuple(style["color"]), style["marker"], str(style["linestyle"])))
    assert len(looks) == 1


def test_eighty_eight_methods_are_told_apart_and_no_curve_goes_unsaid() -> None:
    names = [f"m{number}" for number in range(88)]
    styles = method_styles(names)
    assert len({(tuple(style["color"]), style["marker"]) for style in styles.values()}) == 88
    frame = pd.concat(
        pd.DataFrame({"method": name, "regret": [0.0, 1.0], "share": [0.1, 1.0], "unit": "points"})
        for name in names
    ).assign(low=0.0, high=1.0)
    ax = figures.draw_profiles(frame, axes())
    drawn = [line for line in ax.get_lines() if not str(line.get_label()).startswith("_")]
    assert f"the best {len(drawn)} of 88 methods" in [text.get_text() for text in ax.texts]


def test_axes_say_metric_and_unit_and_have_no_offsets(results: Results) -> None:
    shown = present(results)
    alone = one_task(shown, choose_task(shown, TASK))
    frame = choose_figure("anytime").table(alone)
    ax = choose_figure("anytime").draw(frame, axes())
    assert ax.get_ylabel().replace("\n", " ") == "regret of test accuracy after 9 epochs (points)"
    epochs = pd.DataFrame(
        {"method": "m", "step": [1, 2, 3], "median": [1.6091, 1.6092, 1.6093]}
    ).assign(low=1.6, high=1.61)
    ax = diagnostic_drawing("entropy (nats)")(epochs, axes())
    ax.get_figure().canvas.draw()  # type: ignore[union-attr]
    assert ax.yaxis.get_offset_text().get_text() == ""
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert len(set(labels)) == len(labels)
    assert all(float(tick).is_integer() for tick in ax.get_xticks())


def test_labels_choose_names_and_an_order_is_kept(results: Results, tmp_path: Path) -> None:
    (tmp_path / "l.toml").write_text('[methods]\nrandom = "Uniform"\n[datasets]\ntoy = "Toys"\n')
    labels = read_labels(tmp_path / "l.toml")
    shown = present(results, labels, order=["local-search", "Uniform"])
    assert shown.order == ("Local search", "Uniform")
    assert paper_table(shown).methods[:2] == shown.order
    assert any("Toys" in name for name in shown.names.values()) or "toy" in str(shown.names)
    assert "Uniform" in set(shown.trials["method"])
    with pytest.raises(SuiteError, match="Unknown method"):
        present(results, methods=["unifrom"])
    (tmp_path / "bad.toml").write_text("[method]\n")
    with pytest.raises(SuiteError, match="methods"):
        read_labels(tmp_path / "bad.toml")
    for number, blank in enumerate(("", " ", "\\t\\u2003")):
        (tmp_path / f"{number}.toml").write_text(f'[methods]\nrandom = "{blank}"')
        with pytest.raises(SuiteError, match=r"methods\.random is blank"):
            read_labels(tmp_path / f"{number}.toml")
    plain = present(results, plain=True)
    assert set(plain.trials["method"]) == set(results.trials["method"])
