"""Names that a table says of itself, and settings that are said once."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasbench_suite import load_benchmark, run
from nasbench_suite.benchmarks.library import import_benchmark
from nasbench_suite.commands import main
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_finite_space
from reports.figures.gallery import choose_figure, make_figure
from reports.figures.style import paper_style
from reports.html.report import write_report
from reports.labels import Labels, read_presented
from reports.tables.paper import paper_table

METADATA = """
[about.names]
benchmarks = {mine = "My bench"}
datasets = {stars = "Stars of the North"}
devices = {toaster = "Toaster 3000"}
"""


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Random figures that isomorphic cells share."""
    import numpy as np
    import pandas as pd

    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    space = load_finite_space("nats-tss")
    figures = np.random.default_rng(0).uniform(80, 90, space.size)[space.classes]
    frame = {"architecture": space.all_strings, "stars_valid": figures, "stars_test": figures - 1}
    pd.DataFrame({**frame, "toaster_ms": 100 - figures}).to_parquet("t.parquet")
    Path("m.toml").write_text(METADATA)
    return tmp_path / "t.parquet"


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """Run a command that is to succeed."""
    monkeypatch.setattr("sys.argv", ["nasbench", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0


def test_names_of_a_table_are_shown_and_a_labels_file_comes_first(
    table: Path, tmp_path: Path
) -> None:
    import_benchmark(table, "mine", "nats-tss", metadata="m.toml")
    run("mine", "random", seeds=2, evaluations=5, store="r.sqlite", objectives=["toaster_ms"])
    shown = read_presented("r.sqlite")
    ((key, task),) = shown.tasks.items()
    assert shown.names[key].startswith("My bench, Stars of the North")
    assert "latency on Toaster 3000" in shown.labels.judged_by(task)
    Path("l.toml").write_text('[devices]\ntoaster = "the toaster"\n')
    mine = read_presented("r.sqlite", labels="l.toml")
    assert "latency on the toaster" in mine.labels.judged_by(task)
    assert mine.names[key].startswith("My bench")
    assert "My bench" not in " ".join(read_presented("r.sqlite", plain=True).names.values())


def test_a_label_of_a_metric_is_said_on_the_command_line(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "stars_test:label=share of stars found"
    words = ["--name", "mine", "--space", "nats-tss", "--metric", said]
    call(monkeypatch, "data", "import", str(table), *words)
    run("mine", "random", seeds=2, evaluations=5, store="r.sqlite")
    capsys.readouterr()
    call(monkeypatch, "leaderboard", "--store", "r.sqlite")
    assert "share of stars found in %" in capsys.readouterr().out


def test_tables_that_call_one_metric_differently_name_none(table: Path) -> None:
    for name, label in {"one": "hit rate", "two": "recall"}.items():
        import_benchmark(table, name, "nats-tss", metrics={"stars_test": {"label": label}})
        run(name, "random", seeds=1, evaluations=5, store="r.sqlite")
        run(name, "random", seeds=1, evaluations=5, store=f"{name}.sqlite")
    for store, said in {"one": "hit rate", "two": "recall", "r": "stars test accuracy"}.items():
        shown = read_presented(f"{store}.sqlite")
        names = {shown.labels.metric(task.report_metric) for task in shown.tasks.values()}
        assert names == {said}


def test_names_of_a_table_that_are_none_are_refused(table: Path) -> None:
    Path("m.toml").write_text('[about.names]\ndataset = {stars = "Stars"}\n')
    with pytest.raises(SuiteError, match="did you mean 'datasets'"):
        import_benchmark(table, "mine", "nats-tss", metadata="m.toml")
    Path("m.toml").write_text('[about]\nnames = "Stars"\n')
    with pytest.raises(SuiteError, match="about: "):
        import_benchmark(table, "mine", "nats-tss", metadata="m.toml")


def test_settings_in_common_are_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    evolution = "regularized-evolution[population_size=5,sample_size={}]"
    methods = f"random,{evolution.format(2)},{evolution.format(3)}"
    run(load_benchmark("digits"), methods, seeds=3, evaluations=10, store="r.sqlite")
    said = "Common settings: population size 5 (Regularized evolution)."
    shown = read_presented("r.sqlite")
    names = {f"Regularized evolution (sample size {size})" for size in (2, 3)}
    assert set(shown.shown.values()) == {"Random search", *names}
    assert shown.common == said
    assert read_presented("r.sqlite", methods=["random"]).common == ""  # none of them is shown
    assert said in paper_table(shown).caption
    for words in (["leaderboard"], ["compare"]):
        capsys.readouterr()
        call(monkeypatch, *words, "--store", "r.sqlite", "--format", "markdown")
        out = capsys.readouterr().out
        assert out.count("population size 5") == 1
    write_report("r.sqlite", "r.html", panels=[])
    assert said in Path("r.html").read_text()
    with paper_style("neurips"):
        figure = make_figure("anytime", choose_figure("anytime").table(shown))
    assert " ".join(figure.get_supxlabel().split()) == said
    assert read_presented("r.sqlite", plain=True).common == ""


@pytest.mark.parametrize(
    ("labels", "names", "common"),
    [
        (["tpe[a=1]"], ["TPE (a 1)"], ""),
        (["tpe[a=1]", "random"], ["TPE (a 1)", "Random search"], ""),
        (["tpe[a=1]", "bananas[a=1]"], ["TPE", "BANANAS"], "a 1 (all methods)"),
        (
            ["tpe[a=1,b=2]", "tpe[a=1]", "random"],
            ["TPE (b 2)", "TPE", "Random search"],
            "a 1 (TPE)",
        ),
        (
            ["x[a=[1, 2],c_d=0]", "x[a=[1, 2],c_d=1]", "random"],
            ["x[c_d=0]", "x[c_d=1]", "Random search"],
            "a [1, 2] (x)",
        ),
        (
            ["tpe[a=1,b=2]", "tpe[a=1,b=2,c=0]", "random[a=1]"],
            ["TPE", "TPE (c 0)", "Random search"],
            "a 1 (all methods); b 2 (TPE)",
        ),
    ],
)
def test_what_is_common_is_found_by_method_and_over_all(
    labels: list[str], names: list[str], common: str
) -> None:
    from reports.labels import _common_sentence, _common_settings, _parts

    everywhere, of_name = _common_settings(labels)
    short = [
        Labels().method(label, [*everywhere, *of_name.get(_parts(label)[0], ())])
        for label in labels
    ]
    assert short == names
    sentence = _common_sentence(Labels(), everywhere, of_name)
    assert sentence == (f"Common settings: {common}." if common else "")


def test_one_seed_is_not_one_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run("digits", "random,local-search", seeds=1, evaluations=5, store="r.sqlite")
    call(monkeypatch, "compare", "--store", "r.sqlite", "--format", "markdown")
    out = capsys.readouterr().out
    assert "1 seed in common, differences" in out
    assert "All methods have 1 seed in common" in out


def test_a_setting_with_brackets_of_its_own_is_one_setting() -> None:
    data = "data=cifar10[images=8,resolution=16]"
    named = Labels().method(f"darts[epochs=2,{data},list=a,b]", without=["epochs=2", data])
    assert named == "DARTS (list a,b)"
    assert Labels().method(f"darts[{data}]") == "DARTS (data cifar10[images=8,resolution=16])"
