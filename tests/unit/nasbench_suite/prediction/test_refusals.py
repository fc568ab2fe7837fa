"""What a board and its command refuse, before anything is computed, and what they must not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nasbench_suite import prediction
from nasbench_suite.benchmarks import Benchmark, Metric, make_benchmark
from nasbench_suite.benchmarks.table_file import write_benchmark
from nasbench_suite.commands import main
from nasbench_suite.commands.app import build_app
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.journal import Journal
from nasbench_suite.prediction import CEILING, make_board, measure_all, run_board
from nasbench_suite.prediction.scores import read_scores, read_seconds
from nasbench_suite.predictors import predictor_label
from nasbench_suite.spaces import PoolSpace, load_space

TSS = load_space("nats-tss")
TIMES = ["fit_seconds", "query_seconds"]
FOREST = "random-forest"
Write = Callable[..., Path]


@pytest.fixture
def scores(tmp_path: Path) -> Write:
    """Writes scores of the first 300 architectures, with further columns, beneath a name."""

    def write(name: str = "scores.parquet", rows: int = 300, **columns: Any) -> Path:
        frame = pd.DataFrame({"arch_str": [TSS.string(index) for index in range(rows)]})
        frame = frame.assign(nwot=np.arange(rows) / 8, nwot_seconds=0.25, **columns)
        path = tmp_path / name
        if path.suffix.lower() == ".csv":
            frame.to_csv(path, index=False)
        else:
            frame.to_parquet(path)
        return path

    return write


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever computes an entry fails."""

    def computed(*_: object) -> NoReturn:
        raise AssertionError("something was computed")

    monkeypatch.setattr(prediction, "run_board", computed)


def refusal(*arguments: str | Path) -> str:
    """The sentence with which ``nasbench predict`` refuses these arguments."""
    usual = ("predict", "--sizes", "10", "--seeds", "0", "--tested", "30", "--predictors", FOREST)
    answer = CliRunner().invoke(build_app(), [*usual, *map(str, arguments)])
    assert isinstance(answer.exception, SuiteError), answer.output or answer.exception
    return str(answer.exception)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tested": -1}, r"^-1 architectures cannot be tested: give 20 or more, or 0 for all"),
        ({"tested": -500}, "^-500 architectures cannot be tested"),
        ({"tested": 2}, "^2 architectures cannot be tested"),
        ({"tested": 30.5}, r"^30\.5 architectures cannot be tested"),
        ({"sizes": [10.5]}, r"^\[10\.5\] are no numbers of architectures: give whole ones"),
        ({"sizes": 10}, "^10 are no numbers of architectures"),
        ({"sizes": []}, "^No number of trained architectures is given"),
        ({"sizes": [15_620]}, "give smaller sizes, 15605 at most"),
        ({"seeds": []}, "^No seed is given"),
        ({"seeds": [-1]}, "^Seed -1 is impossible"),
        ({"predictors": ","}, "^No predictor is named in ','"),
        ({"predictors": ["gq"]}, "^Unknown predictor 'gq'"),
        ({"dataset": "other", "metric": "toy_test_9"}, "of data set 'toy', and not of 'other'"),
        ({"dataset": ""}, "no accuracy on ''"),
        ({"metric": ""}, "^Unknown metric ''"),
        ({"learnt": ""}, "^Unknown metric ''"),
        ({"with_proxies": True}, "there must be both: name predictors and give scores"),
        ({"scores": {CEILING: np.zeros(TSS.size)}}, "^Scores 'second training' are named as the"),
        ({"scores": {FOREST: np.zeros(TSS.size)}}, "^Scores 'random-forest' are named as a pred"),
        ({"scores": {"p": np.full(TSS.size, np.inf)}}, "^Proxy 'p' has 15,625 scores of plus inf"),
        ({"scores": {"p": np.full(TSS.size, np.nan)}}, "of 0 architectures, too few .* give sco"),
    ],
)
def test_a_board_that_says_nothing_is_refused(
    toy: Benchmark, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(SuiteError, match=said):
        make_board(toy, **{"predictors": FOREST, "sizes": [10], "seeds": 1, **wrong})


def test_a_predictor_that_cannot_work_with_the_table_is_refused_before_it_is_run(
    toy: Benchmark,
) -> None:
    with pytest.raises(SuiteError, match="are no vectors of choices"):
        make_board(cells_of_nasbench101(), predictors=[FOREST, "hamming-process"], sizes=[10])
    with pytest.raises(SuiteError, match="needs three points, and curves have 2"):
        make_board(toy, predictors="curve-extrapolation", metric="toy_valid_9")


def cells_of_nasbench101() -> Benchmark:
    """Some cells, each of them trained once and no other's twin, so that there is no ceiling."""
    space, rng = load_space("nasbench101"), np.random.default_rng(0)
    drawn = [space.sample(rng) for _ in range(60)]
    strings = list({space.row_key(one): space.string(one) for one in drawn}.values())
    metric = Metric("made_test_9", dataset="made", split="test", epochs=9, seeds=(0,))
    figures = {metric.seed_column(0): rng.normal(90, 1, len(strings))}
    return make_benchmark("cells", PoolSpace(space, strings), [metric], figures)


def test_python_takes_what_the_command_line_takes(tmp_path: Path) -> None:
    text = make_board("digits", predictors=f"{FOREST},gp", seeds="0-1", sizes=[10], tested=20)
    named = make_board("digits", predictors=[FOREST, ("gp", {})], seeds=2, sizes=[10], tested=20)
    assert text.predictors == named.predictors == {FOREST: (FOREST, {}), "gp": ("gp", {})}
    assert text.seeds == named.seeds == (0, 1)
    journal = tmp_path / "board.jsonl"
    assert len(run_board(text, str(journal))) == len(Journal(journal).entries()) - 1 == 6


def test_the_order_and_spelling_of_settings_change_nothing(toy: Benchmark) -> None:
    spelt = {"num_trees": 5, "min_leaf": 3}
    again = {"min_leaf": "3", "num_trees": "05", "encoding": "auto"}
    one, other = (
        make_board(toy, predictors=[(FOREST, settings)], sizes=[10], seeds=2, tested=50)
        for settings in (spelt, again)
    )
    (label,) = one.predictors
    assert list(other.predictors) == [label] == [predictor_label(FOREST, again)]
    assert sorted(label.removeprefix(FOREST).strip("[]").split(",")) == [
        "min_leaf=3",
        "num_trees=5",
    ]
    same = [run_board(board).drop(columns=TIMES) for board in (one, other)]
    pd.testing.assert_frame_equal(*same)
    assert predictor_label(FOREST, {"encoding": "auto"}) == FOREST


def test_what_too_few_teach_keeps_a_row_without_figures(toy: Benchmark, tmp_path: Path) -> None:
    journal = tmp_path / "board.jsonl"
    for kept in (None, journal, journal):  # the last reads what the one before wrote
        board = make_board(toy, predictors="lightgbm,xgboost", sizes=[1, 10], seeds=1, tested=99)
        rows = run_board(board, kept).set_index(["predictor", "size"])
        assert len(rows) == 5
        assert (rows.loc["xgboost", "kind"] == "predictor").all()
        assert rows.loc[("xgboost", 1)].filter(like=" ").isna().all()
        assert rows.loc[("xgboost", 1), "tested"] == 0
        assert np.isfinite(rows.loc[("xgboost", 10), "all kendall"])
        assert journal.exists() == (kept is not None)
    board = make_board(cells_of_nasbench101(), predictors="xgboost", sizes=[1], seeds=1, tested=20)
    rows = run_board(board)
    assert rows["predictor"].tolist() == ["xgboost"]  # without a ceiling, too
    assert rows["all kendall"].isna().all()


def test_choices_of_nearly_all_that_are_tested_say_nothing() -> None:
    """Of 30, three of them the top: 15 at most are chosen to be precise, and two to regret."""
    predicted, truth = np.random.default_rng(0).normal(size=(2, 30))
    found = measure_all(predicted, truth)
    chosen = [name for name in found if name.split()[1].startswith(("precision", "regret"))]
    assert [name for name in chosen if np.isfinite(found[name])] == [
        "all precision_10",
        "all regret_1",
        "all regret_10",
        "top regret_1",
    ]


@pytest.mark.parametrize("name", ["scores.csv", "SCORES.PARQUET", "scores.pq", "scores.CSV"])
def test_scores_are_read_whatever_their_file_is_called(scores: Write, name: str) -> None:
    path = scores(name)
    found = read_scores(path, TSS)
    assert list(found) == ["nwot"]
    assert found["nwot"][:300].tolist() == (np.arange(300) / 8).tolist()
    assert read_seconds(path) == {"nwot": 0.25}


def test_scores_that_contradict_or_are_none_are_refused(scores: Write, tmp_path: Path) -> None:
    infinite = np.where(np.arange(300) == 3, np.inf, 0.0)
    twice = tmp_path / "twice.parquet"
    frame = pd.read_parquet(scores())
    pd.concat([frame, frame.head(2)]).to_parquet(twice)
    assert len(read_scores(twice, TSS)) == 1  # the same again contradicts nothing
    pd.concat([frame, frame.head(2).assign(nwot=[0.0, 9.0])]).to_parquet(twice)
    other = tmp_path / "other.parquet"
    frame.rename(columns={"arch_str": "architecture"}).to_parquet(other)
    for path, said in (
        (scores("inf.parquet", made=infinite), r"^Column 'made' of .* has 1 score of plus infi"),
        (scores("day.parquet", day=pd.Timestamp("2020-01-01")), r"no scores \(day: no numbers\)"),
        (twice, "has two rows of .* with different scores of 'nwot'"),
        (other, "has no column arch_str of architectures beside its scores .it has architecture"),
        (tmp_path / "nofile.parquet", r"^There is no file .*nofile\.parquet"),
    ):
        with pytest.raises(SuiteError, match=said):
            read_scores(path, TSS)


@pytest.mark.usefixtures("never")
def test_nothing_is_computed_for_a_file_that_cannot_be_written(
    scores: Write, tmp_path: Path
) -> None:
    table, drawing = scores("scores.csv"), tmp_path / "same.png"
    (tmp_path / "folder.pdf").mkdir()
    kept = table.read_bytes()
    for arguments, said in (
        (("--scores", table, "-o", table), "cannot be both what is read and the table"),
        (("--scores", table, "--figure", drawing, "--heat-map", drawing), "both the figure and"),
        (("-o", tmp_path / "rows.parquet"), "would be written as CSV: end its name in .csv"),
        (("-o", tmp_path / "none" / "rows.csv"), "There is no folder"),
        (("--heat-map", tmp_path / "map.pdf"), "There are no proxies to draw"),
        (("--figure", tmp_path / "folder.pdf"), "which is a folder"),
        (("--jobs", "0"), "0 jobs are impossible"),
    ):
        assert said in refusal(*arguments)
    assert table.read_bytes() == kept


@pytest.mark.usefixtures("never")
def test_nothing_is_computed_for_names_of_nothing(scores: Write) -> None:
    assert refusal("--dataset", "").startswith("No data set is named in ''")
    assert refusal("--dataset", ",").startswith("No data set is named in ','")
    assert refusal("--benchmark", "").startswith("No benchmark is named in ''")
    assert refusal("--benchmark", ",").startswith("No benchmark is named in ','")
    assert refusal("--predictors", ",").startswith("No predictor is named in ','")
    assert refusal("--scores", "").startswith("No table of scores is named in ''")
    assert refusal("--metric", "").startswith("Unknown metric ''")
    assert refusal("--with-proxies").startswith("For predictors to learn from scores as well")
    said = refusal("--dataset", "foo", "--metric", "digits_test_8")
    assert said.startswith("Unknown data set 'foo'")
    assert "too few for 20 to test and 10 to train: give scores of more" in refusal(
        "--scores", scores(rows=5)
    )


@pytest.mark.usefixtures("never")
def test_nothing_is_computed_for_boards_of_which_one_is_refused(
    toy: Benchmark, tmp_path: Path
) -> None:
    tables = [tmp_path / name / "mine.parquet" for name in ("one", "other")]
    for path in tables:
        path.parent.mkdir()
        write_benchmark(toy, path)
    said = refusal("--benchmark", f"{tables[0]},{tables[1]}")
    assert said.startswith(f"{tables[0]} and {tables[1]} are both called 'toy'")
    journal = tmp_path / "toy-toy_test_9.jsonl"
    other = make_board(toy, predictors=FOREST, sizes=[10], seeds=1, tested=50)
    Journal(journal).begin(other.identity)
    said = refusal("--benchmark", f"digits,{tables[0]}", "--journal", tmp_path)
    assert said.endswith("another number tested: give another journal, or another folder for them.")
    assert [path.name for path in tmp_path.glob("*.jsonl")] == [journal.name]  # none was begun


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "interrupted; nothing is kept: with --journal FOLDER what is finished is, and the"),
        (["--journal", "."], "interrupted; what was finished is kept, the same command goes on."),
    ],
)
def test_an_interrupt_says_what_is_kept(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    options: list[str],
    said: str,
) -> None:
    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(prediction, "run_board", interrupted)
    monkeypatch.setattr(sys, "argv", ["nasbench", "predict", "--predictors", FOREST, *options])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert said in capsys.readouterr().err
