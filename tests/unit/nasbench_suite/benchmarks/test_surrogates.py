"""Surrogates by name: fitted by a command, listed, described and searched on."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from nasbench_suite.analysis.leaderboard import leaderboard
from nasbench_suite.benchmarks import surrogate as surrogates
from nasbench_suite.benchmarks.library import load_benchmark
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.surrogates import load_any, load_surrogate
from nasbench_suite.benchmarks.table import make_benchmark
from nasbench_suite.benchmarks.table_file import write_benchmark
from nasbench_suite.commands.app import build_app
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import run
from nasbench_suite.spaces import PoolSpace, load_space
from nasbench_suite.store import ResultStore
from nasbench_suite.submissions.files import make_submission
from nasbench_suite.submissions.verifying import verify_submission

ROWS = 120


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A library with a table of 120 DARTS cells, whose accuracy depends on their operations."""
    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path))
    monkeypatch.setattr(surrogates, "_TREES", 15)
    rng = np.random.default_rng(0)
    space = load_space("darts")
    pool = PoolSpace(space, [space.string(space.sample(rng)) for _ in range(ROWS)])
    features = pool.features(range(ROWS))
    quality = 90 + features @ rng.normal(size=features.shape[1])
    metrics = [
        Metric("cifar10_valid_9", dataset="cifar10", split="valid", epochs=9),
        Metric("cifar10_test_9", dataset="cifar10", split="test", epochs=9),
        Metric("pixel3", "latency", "ms", "minimize", device="pixel3"),
    ]
    columns = {
        "cifar10_valid_9": quality + rng.normal(scale=0.1, size=ROWS),
        "cifar10_test_9": quality,
        "pixel3": 1 + features[:, :40].sum(axis=1) + rng.random(ROWS),
    }
    write_benchmark(
        make_benchmark("cells", pool, metrics, columns, {"source": "made"}),
        tmp_path / "benchmarks/cells.parquet",
    )
    return tmp_path


def nasbench(*arguments):
    answer = CliRunner().invoke(build_app(), arguments)
    return answer.exit_code, answer.output, answer.exception


def test_a_fitted_surrogate_is_a_benchmark_for_the_whole_space(home):
    code, output, _ = nasbench("data", "fit-surrogate", "cells", "--name", "ours")
    assert code == 0
    assert "cifar10_valid_9" in output
    assert "kendall" in output
    code, output, _ = nasbench("data", "list", "--json")
    (listed,) = [entry for entry in json.loads(output) if entry["name"] == "ours"]
    assert listed["space"] == "darts"
    assert listed["source"] == "surrogate fitted to cells, 120 architectures"
    code, output, _ = nasbench("data", "info", "ours", "--json")
    said = json.loads(output)
    assert said["fits"].keys() == {"cifar10_valid_9", "cifar10_test_9", "pixel3"}
    assert said["about"]["checksum of the table"] == load_benchmark("cells").checksum

    store = home / "results.sqlite"
    run("ours", "random,regularized-evolution", seeds=range(2), evaluations=12, store=store)
    board = leaderboard(store)
    assert set(board["method"]) == {"random", "regularized-evolution"}
    assert board["optimum"].isna().all()
    with ResultStore(store) as results:
        strings = results.record(int(results.trials()["trial"].iloc[0])).strings
    assert len(set(strings) - set(load_benchmark("cells").space.strings)) > 8


def test_its_name_and_its_file_answer_alike(home):
    nasbench("data", "fit-surrogate", "cells", "--name", "ours", "--metrics", "pixel3")
    space, rng = load_space("darts"), np.random.default_rng(3)
    cells = [space.sample(rng) for _ in range(5)]
    path = home / "benchmarks/ours.surrogate"
    answers = [
        found.figures(cells, "pixel3").tolist()
        for found in (load_any("ours"), load_any(path), load_surrogate("ours"))
    ]
    assert answers[0] == answers[1] == answers[2]
    assert list(load_surrogate("ours").metrics) == ["pixel3"]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (("fit-surrogate", "cells", "--name", "cells"), "already a benchmark 'cells'"),
        (("fit-surrogate", "cells", "--name", "ours"), "replace it with --overwrite"),
        (("fit-surrogate", "cells", "--name", "a b"), "cannot name a benchmark"),
        (("fit-surrogate", "cells", "--name", "x", "--metrics", "top1"), "'top1'"),
        (("fit-surrogate", "nothing", "--name", "x"), "'nothing'"),
        (("verify", "ours"), "is a surrogate, which has no table"),
    ],
)
def test_what_cannot_be_is_said_and_leaves_what_was_there(home, call, sentence):
    nasbench("data", "fit-surrogate", "cells", "--name", "ours", "--metrics", "pixel3")
    before = (home / "benchmarks/ours.surrogate").read_bytes()
    code, _, error = nasbench("data", *call)
    assert code
    assert isinstance(error, SuiteError)
    assert sentence in str(error)
    assert (home / "benchmarks/ours.surrogate").read_bytes() == before


def test_a_surrogate_of_another_space_is_refused(home):
    nasbench("data", "fit-surrogate", "cells", "--name", "ours", "--metrics", "pixel3")
    with pytest.raises(SuiteError, match="of space 'darts', not"):
        run("surrogate:ours", "random", space="mnasnet", store=home / "r.sqlite")
    with pytest.raises(SuiteError, match="fit-surrogate"):
        run("surrogate:theirs", "random", store=home / "r.sqlite")
    (home / "benchmarks/ours.surrogate").write_bytes(b"PK\3\4 nothing")
    with pytest.raises(SuiteError, match="truncated, damaged"):
        run("ours", "random", store=home / "r.sqlite")
    assert not (home / "r.sqlite").exists()


def test_each_architecture_is_computed_once(home, monkeypatch):
    nasbench("data", "fit-surrogate", "cells", "--name", "ours", "--metrics", "pixel3")
    found = load_surrogate("ours")
    space, rng = load_space("darts"), np.random.default_rng(3)
    cells = [space.sample(rng) for _ in range(5)]
    first = found.figures(cells, "pixel3")
    monkeypatch.setattr(surrogates.Trees, "predict", lambda *_: pytest.fail("computed again"))
    assert found.figures(cells[::-1], "pixel3").tolist() == first[::-1].tolist()
    assert found.figures(cells[:1], "pixel3", 2).shape == (1,)


def test_a_surrogate_fitted_again_confirms_a_submission(home):
    def fit(*further):
        return nasbench("data", "fit-surrogate", "cells", "--name", "ours", *further)

    fit()
    store, file = home / "r.sqlite", home / "s.nasbench.json.gz"
    run("ours", "random", seeds=range(2), evaluations=4, store=store)
    submission = make_submission(store, file)
    fit("--overwrite")
    found = verify_submission(submission)
    assert (found.faults, found.doubts, found.level) == ((), (), "surrogate")
    assert verify_submission(submission, rerun=1).level == "rerun"
    forged = submission.model_copy(deep=True)
    forged.trials[0].signals[0] = [99.0]
    assert "forged" in {fault.kind for fault in verify_submission(forged).faults}
    fit("--overwrite", "--seed", "1")
    assert {fault.kind for fault in verify_submission(submission).faults} == {"task"}
    (home / "benchmarks/ours.surrogate").unlink()
    code, _, error = nasbench("submit", "verify", str(file))
    assert code
    assert "Unknown benchmark 'ours'" in str(error)
