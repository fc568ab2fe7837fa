"""What a warm task lets a search know beforehand, and what it never does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from nasbench_suite.analysis.leaderboard import leaderboard
from nasbench_suite.benchmarks import Benchmark, Metric, make_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import Trial, run
from nasbench_suite.spaces import load_space
from nasbench_suite.tasks import Session, Task, make_task
from nasbench_suite.tasks.methods import make_method
from search_methods.graph_vae_search import GraphVAESearch
from search_methods.transfer import TransferStart

SPACE = load_space("nats-tss")
DATASETS, DEVICES = ("here", "there"), ("phone_1", "phone_32", "tablet", "watch")


def table(name: str = "made", space: str = "nats-tss", **more: np.ndarray) -> Benchmark:
    """Two data sets that are alike and four devices, two of which are siblings."""
    where = load_space(space)
    rng = np.random.default_rng(0)
    draw = rng.normal(size=(20, 9))
    quality = draw[np.arange(len(where.choices)), where.all_vectors].sum(axis=1)
    cost = 5 + np.exp(0.2 * draw[::-1][np.arange(len(where.choices)), where.all_vectors]).sum(
        axis=1
    )
    metrics, columns = [], {}
    for number, dataset in enumerate(DATASETS):
        for split in ("valid", "test"):
            noise = rng.normal(scale=0.1, size=where.size)
            metrics.append(Metric(f"{dataset}_{split}_9", dataset=dataset, split=split, epochs=9))
            columns[metrics[-1].name] = 60 + quality * (1 + number) + noise
    for number, device in enumerate(DEVICES):
        metrics.append(Metric(device, "latency", "ms", "minimize", device=device))
        columns[device] = cost * (1 + number) + rng.uniform(0, 0.1, where.size)
    for column, values in more.items():
        metrics.append(Metric(column))
        columns[column] = values
    return make_benchmark(name, where, metrics, columns)


@pytest.fixture(scope="module")
def made() -> Benchmark:
    return table()


def task(benchmark: Benchmark, *names: str, evaluations: int = 20) -> Task:
    return make_task(
        benchmark, "here", objectives=["phone_1"], evaluations=evaluations, transfer=list(names)
    )


def seen(found: Task) -> set[str]:
    return {one.name for one in Session(found, 0).known}


def test_others_are_what_is_neither_the_target_nor_its_sibling(made: Benchmark) -> None:
    there = {"there_valid_9", "there_test_9"}
    assert seen(task(made)) == set()
    assert seen(task(made, "others")) == {*there, "tablet", "watch"}
    assert seen(task(made, "others+siblings")) == {*there, "phone_32", "tablet", "watch"}
    assert seen(task(made, "watch", "phone_32")) == {"watch", "phone_32"}


def test_a_metric_may_have_colons_in_its_name() -> None:
    colons = table(**{"lat:a:b": np.arange(SPACE.size) + 1.0})
    assert seen(task(colons, "made:lat:a:b")) == seen(task(colons, "lat:a:b")) == {"lat:a:b"}


def test_figures_are_turned_so_that_larger_is_better(made: Benchmark) -> None:
    known = {one.name: one for one in Session(task(made, "others"), 0).known}
    assert_array_equal(known["tablet"].figures, -made.values("tablet"))
    assert_array_equal(known["there_valid_9"].figures, made.values("there_valid_9"))
    with pytest.raises(ValueError, match="read-only"):
        known["tablet"].figures[0] = 0.0


def test_a_warm_task_is_another_task_and_a_cold_one_keeps_its_key(made: Benchmark) -> None:
    cold, warm = task(made), task(made, "others")
    assert "transfer" not in cold.config
    assert cold.key != warm.key != task(made, "tablet").key
    assert (cold.name, warm.name) == ("made/here/phone_1", "made/here/phone_1/warm")
    assert ["made", made.checksum, "tablet"] in warm.config["transfer"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("phone_1", "is the target 'phone_1' itself"),
        ("here_valid_9", "is the target 'here_valid_9' itself"),
        ("here_test_9", "is a test figure of the data set that is searched on"),
        ("renamed", "is the target 'here_test_9' itself"),
        ("elsewhere", "Unknown metric"),
        ("nothing:phone_1", "Unknown benchmark 'nothing'"),
    ],
)
def test_the_target_is_never_shown(name: str, said: str) -> None:
    benchmark = table(renamed=table().values("here_test_9"))
    with pytest.raises(SuiteError, match=said):
        task(benchmark, name)


def test_other_tables_must_have_the_space_and_the_rows(
    made: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path))
    other, macro = table("other"), table("macro", "nasbench-macro")
    known = {"other": other, "macro": macro, "again": made}
    monkeypatch.setattr("nasbench_suite.tasks.transfer.load_benchmark", known.__getitem__)
    assert seen(task(made, "other:tablet")) == {"tablet"}
    with pytest.raises(SuiteError, match="is of space 'nasbench-macro'"):
        task(made, "macro:tablet")
    with pytest.raises(SuiteError, match="'phone_1' of table 'made' is the target"):
        task(made, "again:phone_1")
    known["few"] = other.restricted(np.arange(50))
    with pytest.raises(SuiteError, match="other architectures"):
        task(made, "few:tablet")


def test_ten_queries_that_know_other_tables_do_more_than_thirty_that_do_not(
    made: Benchmark,
) -> None:
    def score(method: GraphVAESearch, found: Task) -> float:
        scores = []
        for seed in range(3):
            trial = Trial(found, method, seed)
            trial.advance()
            scores.append(trial.result().incumbents.reports[-1])
        return float(np.mean(scores))

    cold = score(GraphVAESearch(embedding="one-hot"), task(made, evaluations=30))
    warm = task(made, "others", evaluations=10)
    assert score(GraphVAESearch(embedding="one-hot"), warm) > cold
    assert score(GraphVAESearch(embedding="one-hot", transfer="none"), warm) < cold


def test_the_board_has_cold_and_warm_apart(tmp_path: Path) -> None:
    store = str(tmp_path / "r.sqlite")
    settings = {"objectives": ["onnxruntime_ms"], "seeds": [0], "evaluations": 8, "store": store}
    run("digits", "graph-vae", **settings)
    run("digits", "graph-vae", transfer=["torch_ms"], **settings)
    assert set(leaderboard(store)["task"]) == {
        "digits/digits/onnxruntime_ms, 8 evaluations",
        "digits/digits/onnxruntime_ms/warm, 8 evaluations",
    }


def test_the_command_refuses_the_target() -> None:
    call = [sys.executable, "-m", "nasbench_suite", "run", "--objectives", "onnxruntime_ms"]
    call += ["--methods", "random", "--transfer", "onnxruntime_ms"]
    answer = subprocess.run(call, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "is the target 'onnxruntime_ms' itself" in answer.stderr
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize(("method", "first"), [("nsga2", 5), ("random", 5)])
def test_other_methods_begin_where_the_graph_vae_does(
    made: Benchmark, method: str, first: int
) -> None:
    warm = task(made, "others")
    of_the_vae = Trial(warm, GraphVAESearch(embedding="one-hot", warm_initial=first), 0)
    of_the_other = Trial(warm, TransferStart(method=method, num_warm=first), 0)
    began = []
    for trial in (of_the_vae, of_the_other):
        trial.advance()
        began.append(sorted(trial.session.record().architectures[:first].tolist()))
    assert began[0] == began[1]
    cold = Trial(task(made), make_method(method), 0)
    cold.advance()
    assert sorted(cold.session.record().architectures[:first].tolist()) != began[0]


def test_nothing_known_is_no_start(made: Benchmark) -> None:
    assert not list(TransferStart().hints(task(made, "others", evaluations=50)))
    (said,) = TransferStart().hints(task(made, evaluations=50))
    assert "--transfer" in said
    records = [Trial(task(made), method, 0) for method in (TransferStart(), make_method("nsga2"))]
    for trial in records:
        trial.advance()
    one, other = (trial.session.record().architectures for trial in records)
    assert_array_equal(one, other)
    with pytest.raises(SuiteError, match="Unknown transfer 'costs'"):
        TransferStart(transfer="costs")
    with pytest.raises(SuiteError, match="warm start of a warm start"):
        TransferStart(method="warm-start")
