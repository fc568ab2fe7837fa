"""Boards of predictors: what is drawn, what is kept, the noise ceiling, and what is printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nasbench_suite.benchmarks import Benchmark, Metric, make_benchmark
from nasbench_suite.commands.app import build_app
from nasbench_suite.errors import SuiteError
from nasbench_suite.prediction import (
    CEILING,
    check_shown,
    make_board,
    measure_all,
    run_board,
    summarise,
)
from nasbench_suite.prediction.ceiling import repetitions
from nasbench_suite.prediction.scores import read_scores
from nasbench_suite.spaces import load_space
from nasbench_suite.statistics.correlation import kendall, regret_at
from reports.figures.prediction import draw_curves, draw_heat_map, heat_map_table, write_heat_map
from reports.tables.prediction import prediction_sheet

TSS = load_space("nats-tss")
LEARNERS = (("hamming-process", {}), ("curve-sum", {}))
TIMES = ["fit_seconds", "query_seconds"]


def board_of(benchmark: Benchmark, **changed: Any) -> Any:
    settings: dict[str, Any] = {
        "predictors": LEARNERS,
        "sizes": [10, 30],
        "seeds": [0, 1],
        "tested": 200,
        "scores": {"sound": benchmark.values("toy_test_9"), "flat": np.zeros(TSS.size)},
    }
    return make_board(benchmark, **{**settings, **changed})


def test_every_seed_draws_for_all_alike(toy: Benchmark) -> None:
    board = board_of(toy)
    trained, tested = board.draw(0)
    again, other = board_of(toy, predictors=LEARNERS[:1]).draw(0), board.draw(1)
    assert np.array_equal(trained, again[0])
    assert np.array_equal(tested, again[1])
    assert len(trained) == 30
    assert len(tested) == 200
    assert not set(trained) & set(tested)
    assert not np.array_equal(tested, other[1])


def test_what_is_known_scores_best_and_what_is_constant_nothing(toy: Benchmark) -> None:
    rows = run_board(board_of(toy)).set_index(["predictor", "size", "seed"]).sort_index()
    assert rows.loc[("sound", 0, 0), "all kendall"] == 1
    assert rows.loc[("sound", 0, 0), "all regret_1"] == 0
    assert rows.loc[("flat", 0, 0), "all precision_10"] == pytest.approx(10 / 200)
    assert np.isnan(rows.loc[("flat", 0, 0), "all kendall"])
    learnt = rows.loc["hamming-process", "all kendall"]
    assert learnt[30].mean() > learnt[10].mean() > 0
    assert (rows.loc["curve-sum", "kind"] == "predictor").all()


def test_a_journal_goes_on_and_jobs_change_nothing(toy: Benchmark, tmp_path: Path) -> None:
    board = board_of(toy)
    whole = run_board(board).drop(columns=TIMES)
    journal = tmp_path / "board.jsonl"
    run_board(board_of(toy, seeds=[1], predictors=LEARNERS), journal)
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:4]) + b'{"predictor": "torn')
    steps = []
    resumed = run_board(board, journal, 2, lambda done, total: steps.append((done, total)))
    pd.testing.assert_frame_equal(resumed.drop(columns=TIMES), whole)
    assert steps[0] == (3, 14)
    with pytest.raises(SuiteError, match="of a board with another number tested: give"):
        run_board(board_of(toy, tested=100), journal)


def test_the_ceiling_pairs_twins(toy: Benchmark) -> None:
    pool = np.arange(300)
    found = repetitions(toy, "toy_test_9", pool, np.random.default_rng(0))
    assert found is not None
    rows, figures, others = found
    values, classes = toy.values("toy_test_9"), TSS.classes
    assert np.array_equal(figures, values[rows])
    sizes = np.bincount(classes)
    assert np.array_equal(rows, pool[sizes[classes[pool]] > 1])
    for row, other in zip(rows, others, strict=True):
        twins = np.flatnonzero((classes == classes[row]) & (values == other))
        assert len(twins) == 1
        assert twins[0] != row


def test_the_ceiling_pairs_seeds_where_twins_are_copies() -> None:
    space = load_space("nats-sss")
    rng = np.random.default_rng(0)
    true = rng.normal(90, 1, space.size)
    metric = Metric("m_test_9", dataset="m", split="test", epochs=9, seeds=(0, 1, 2))
    columns = {metric.seed_column(s): true + rng.normal(size=space.size) for s in (0, 1, 2)}
    columns[metric.seed_column(2)][:50] = np.nan
    table = make_benchmark("sizes", space, [metric], columns)
    found = repetitions(table, "m_test_9", np.arange(space.size), rng)
    assert found is not None
    rows, one, other = found
    assert len(rows) == space.size
    figures = table.seed_values("m_test_9")
    assert (one != other).all()
    assert all(np.isin(a, f) and np.isin(b, f) for a, b, f in zip(one, other, figures, strict=True))
    # Noise as large as the signal: a training correlates by 1/2 with another.
    assert np.corrcoef(one, other)[0, 1] == pytest.approx(0.5, abs=0.05)


def test_measures_of_the_top_are_of_the_truly_best() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.normal(size=500), rng.normal(size=500)
    found = measure_all(predicted, truth)
    best = np.argsort(truth)[-50:]
    assert found["top kendall"] == kendall(predicted[best], truth[best])
    assert found["all regret_10"] == regret_at(10, predicted, truth)
    with pytest.raises(SuiteError, match="not a number"):
        measure_all(np.full(500, np.nan), truth)


def test_a_tenth_of_a_nat_is_no_tenth_of_a_point() -> None:
    """Losses of 0.6 to 1.1 have six values when rounded to 0.1: that is no sparse Kendall."""
    rng = np.random.default_rng(0)
    truth, predicted = rng.uniform(0.6, 1.1, 500), rng.normal(size=500)
    found = measure_all(predicted, -truth, "nats")
    assert np.isnan(found["all sparse_kendall"])
    assert np.isnan(found["top sparse_kendall"])
    assert found["all kendall"] == kendall(predicted, -truth)
    loss = Metric("room_layout_loss", quantity="loss", unit="nats", direction="minimize")
    with pytest.raises(SuiteError, match=r"^Kendall's tau at 0\.1 rounds to 0\.1 points, and room"):
        check_shown("sparse_kendall", "all", [loss])
    check_shown("kendall", "all", [loss])


def test_a_summary_is_over_seeds(toy: Benchmark) -> None:
    rows = run_board(board_of(toy, seeds=[0, 1, 2], predictors=LEARNERS[:1]))
    found = summarise(rows, "spearman", "top").set_index(["predictor", "size"])
    part = rows[(rows["predictor"] == "hamming-process") & (rows["size"] == 10)]
    assert found.loc[("hamming-process", 10), "value"] == pytest.approx(part["top spearman"].mean())
    assert found.loc[(CEILING, 0), "seeds"] == 3
    for wrong in ({"measure": "tau"}, {"region": "bottom"}):
        with pytest.raises(SuiteError):
            summarise(rows, **wrong)


def test_refusals(toy: Benchmark) -> None:
    for wrong, said in (
        ({"sizes": [15_610]}, "smaller sizes"),
        ({"sizes": [0, 5]}, "at least 1"),
        ({"metric": "toy_tset_9"}, "did you mean"),
        ({"dataset": "cifar10"}, "no accuracy on 'cifar10'"),
        ({"scores": {"short": np.zeros(3)}}, "one score for each"),
        ({"predictors": (), "scores": {}}, "nothing to judge"),
        ({"metric": "toy_valid_1"}, "no figures of fewer epochs"),
    ):
        with pytest.raises(SuiteError, match=said):
            board_of(toy, **wrong)


def test_scores_are_placed_by_architecture(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"arch_str": [TSS.string(7), TSS.string(3)], "nwot": [1.0, 2.0], "nwot_seconds": [0.1, 0.1]}
    )
    frame.to_parquet(tmp_path / "scores.parquet")
    found = read_scores(tmp_path / "scores.parquet", TSS)
    assert list(found) == ["nwot"]
    assert found["nwot"][[7, 3]].tolist() == [1, 2]
    assert np.isnan(found["nwot"]).sum() == TSS.size - 2


def made_rows(**values: float | list[float]) -> pd.DataFrame:
    """Rows of a board of proxies with these figures by seed, and of the noise ceiling."""
    kinds = {name: "ceiling" if name == CEILING else "proxy" for name in values}
    return pd.DataFrame(
        [
            {"predictor": name, "size": 0, "seed": seed, "kind": kinds[name], "fit_seconds": 0.0}
            | {"query_seconds": 0.0, "all kendall": value, "all regret_1": value}
            for name, several in values.items()
            for seed, value in enumerate(np.atleast_1d(several))
        ]
    )


def test_a_board_of_proxies_alone_tells_what_it_has() -> None:
    """No seconds of learning, no intervals of one seed, and no mark for the noise ceiling."""
    rows = made_rows(**{CEILING: 0.9, "good": 0.8, "poor": 0.1})
    sheet = prediction_sheet({"toy": rows}, "kendall", "all")
    (table,) = sheet.tables
    assert table.columns == ("predictor", "0")
    assert table.best == (False, True, False)
    (legend,) = sheet.legend
    assert legend.startswith("Of one seed. Bold: the best proxy.")
    assert "Fit" not in legend
    rows = made_rows(one=[0.5] * 5, cut=[-0.9, 0.9, 0.95], none=[np.nan, np.nan], two=[0.1, 0.2])
    sheet = prediction_sheet({"toy": rows}, "kendall", "all")
    cells = {row[0]: row[1] for row in sheet.tables[0].rows}
    assert cells["one"] == "0.500"  # and no ±0.000: all seeds test the same
    assert cells["none"] == "-"
    assert re.fullmatch(r"0\.\d+ \[-1\.000, 1\.000\]", cells["cut"])
    assert cells["two"].startswith("0.150 ±")
    assert "Without an interval all seeds gave one figure" in sheet.legend[0]
    assert "-: no figure" in sheet.legend[0]
    assert "less is better" in str(prediction_sheet({"toy": rows}, "regret_1", "all").tables[0])


def test_curves_tell_proxies_apart() -> None:
    names = [f"p{number}" for number in range(20)]
    _, axes = plt.subplots()
    summary = summarise(made_rows(**{CEILING: 0.9}, **dict.fromkeys(names, 0.5)))
    draw_curves(summary, axes, "kendall")
    lines = {str(line.get_label()): line for line in axes.lines}
    looks = {(lines[n].get_color(), str(lines[n]._unscaled_dash_pattern)) for n in names}
    assert len(looks) == len(names)
    assert lines[CEILING].get_linestyle() == "--"
    assert not len(axes.get_xticks())  # nothing is trained
    assert axes.get_xlabel() == ""
    plt.close("all")


def test_a_heat_map_has_the_best_first_and_its_columns_named_by_what_they_differ_in(
    tmp_path: Path,
) -> None:
    boards = {
        "toy, one_test": made_rows(good=0.8, poor=-0.1),
        "toy, other_test": made_rows(good=0.7, poor=0.2),
    }
    assert list(heat_map_table(boards, "kendall", "all").index) == ["good", "poor"]
    formula = {"$\\foo$": made_rows(**{"$\\bar$": 0.5})}  # and no formula
    write_heat_map(formula, "kendall", "all", tmp_path / "names.png")
    with pytest.raises(SuiteError, match=r"^There is no Kendall's tau to draw: no proxy tells"):
        heat_map_table({"toy": made_rows(flat=np.nan)}, "kendall", "all")
    table = heat_map_table(boards, "regret_1", "all")  # less is better
    assert list(table.index) == ["poor", "good"]
    _, axes = plt.subplots()
    draw_heat_map(heat_map_table(boards, "kendall", "all"), axes, "kendall")
    labels = axes.get_xticklabels()
    assert [label.get_text() for label in labels] == ["one_test", "other_test"]
    assert {(label.get_ha(), label.get_rotation_mode()) for label in labels} == {
        ("right", "anchor")
    }
    assert axes.get_title() == "toy"
    assert "\N{MINUS SIGN}0.10" in {text.get_text() for text in axes.texts}
    plt.close("all")


def test_predict_prints_draws_and_writes(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("rows.csv", "curves.svg", "map.png")}
    strings = [TSS.string(index) for index in range(TSS.size)]
    scores = pd.DataFrame({"arch_str": strings, "made": np.arange(TSS.size, dtype=float)})
    scores.to_parquet(tmp_path / "scores.parquet")
    arguments = [
        *("predict", "--predictors", "hamming-process", "--sizes", "10", "--seeds", "0-1"),
        *("--tested", "100", "--scores", str(tmp_path / "scores.parquet")),
        *("-o", str(files["rows.csv"]), "--figure", str(files["curves.svg"])),
        *("--heat-map", str(files["map.png"]), "--format", "markdown"),
    ]
    answer = CliRunner().invoke(build_app(), arguments)
    assert answer.exit_code == 0, answer.output
    for word in ("hamming-process", "made", CEILING, "±"):
        assert word in answer.output
    assert len(pd.read_csv(files["rows.csv"])) == 6
    assert all(path.stat().st_size for path in files.values())
