"""Runs: reproducible whatever the workers, resumable after any kill, honest about failures."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Command

import nasbench_suite
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.benchmarks.table_file import write_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.events import Record
from nasbench_suite.parsing import parse_methods
from nasbench_suite.runner import ThisProcess, Trial, TrialDone, run
from nasbench_suite.runner.jobs import Failure, Job, run_job
from nasbench_suite.runner.larger_budgets import goes_on
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks import Method, Session, make_task
from nasbench_suite.tasks.methods import make_method, method_label

NASBENCH = Path(sys.executable).with_name("nasbench")


@pytest.fixture(scope="module")
def toy_file(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "toy.parquet"
    write_benchmark(toy, path)
    return path


def contents(store: Path) -> dict[str, list[tuple[object, ...]]]:
    """All that a results file says of its trials, without times and row numbers."""
    connection = sqlite3.connect(store)
    identity = "tasks.key, methods.key, seed"
    joined = (
        "trials JOIN tasks ON tasks.id = task_id JOIN methods ON methods.id = method_id "
        "{} ORDER BY tasks.key, methods.key, seed"
    )
    queries = {
        "trials": f"SELECT {identity}, status, message, trainings, trials.evaluations, "
        f"trials.seconds, trials.architecture, trials.signal, trials.report "
        f"FROM {joined.format('')}",
        "records": f"SELECT {identity}, architectures, epochs, signals, records.evaluations, "
        f"records.seconds, recommended FROM "
        f"{joined.format('JOIN records ON trial_id = trials.id')}",
        "incumbents": f"SELECT {identity}, training, incumbents.evaluations, incumbents.seconds, "
        f"incumbents.architecture, incumbents.signal, incumbents.report FROM "
        f"{joined.format('JOIN incumbents ON trial_id = trials.id')}, training",
    }
    found = {name: connection.execute(query).fetchall() for name, query in queries.items()}
    connection.close()
    return found


def test_results_do_not_depend_on_the_number_of_workers(toy_file: Path, tmp_path: Path) -> None:
    for jobs in (1, 2):
        summary = run(
            toy_file,
            "random,regularized-evolution,hyperband",
            seeds=range(6),
            jobs=jobs,
            store=tmp_path / f"{jobs}.sqlite",
            answers="sample",
            crossfit=False,
        )
        assert (summary.finished, summary.skipped, summary.failures) == (18, 0, [])
    assert contents(tmp_path / "1.sqlite") == contents(tmp_path / "2.sqlite")


def test_seeds_differ_and_figures_are_the_tables(toy: Benchmark, tmp_path: Path) -> None:
    store = tmp_path / "r.sqlite"
    run(toy, "random", seeds=range(5), store=store, evaluations=20, crossfit=False)
    with ResultStore(store, read_only=True) as results:
        trials = results.trials()
        records = [results.record(trial) for trial in trials["trial"]]
    assert len({record.architectures.tobytes() for record in records}) == 5
    for (_, trial), record in zip(trials.iterrows(), records, strict=True):
        signals = toy.values("toy_valid_9")[record.architectures]
        assert np.array_equal(record.signals[:, 0], signals)
        assert trial["architecture"] == record.architectures[signals.argmax()]
        assert trial["report"] == toy.query(int(trial["architecture"]), "toy_test_9")


def test_what_is_finished_is_not_repeated(toy: Benchmark, tmp_path: Path) -> None:
    store = tmp_path / "r.sqlite"
    run(toy, "random", seeds=range(3), store=store)
    before = contents(store)
    done: list[TrialDone] = []
    summary = run(toy, "random", seeds=range(5), store=store, on_trial=done.append)
    assert (summary.finished, summary.skipped) == (2, 3)
    assert {trial.seed for trial in done} == {3, 4}  # whichever ends first
    assert contents(store)["trials"][:3] == before["trials"]


def test_another_budget_is_another_task(toy: Benchmark, tmp_path: Path) -> None:
    store = tmp_path / "r.sqlite"
    run(toy, "random", seeds=[0], store=store, evaluations=10)
    assert run(toy, "random", seeds=[0], store=store, evaluations=11).finished == 1


@dataclass
class Planner(Method):
    """Begins at a place that depends on what it may spend."""

    def step(self, session: Session) -> None:
        """Evaluate what stands at the number of evaluations allowed, and then at random."""
        first = int(session.budget.evaluations or 0)
        session.evaluate(session.space.sample(session.rng) if session.trainings else first)


def test_a_larger_budget_goes_on_from_a_smaller_one(toy: Benchmark, tmp_path: Path) -> None:
    methods = ["random", "regularized-evolution[population_size=5,sample_size=2]", Planner]
    settings: dict[str, Any] = {"seeds": range(3), "store": tmp_path / "r.sqlite"}
    for evaluations in (10, 8):  # of which the second has no smaller one
        done = run(
            toy, methods, evaluations=evaluations, answers="sample", crossfit=False, **settings
        )
        assert (done.finished, done.gone_on, done.hints) == (9, 0, [])
    done = run(toy, methods, evaluations=20, answers="sample", crossfit=False, **settings)
    assert (done.finished, done.gone_on) == (9, 6)
    (hint,) = done.hints
    assert hint.startswith("planner on toy")
    assert "3 searches" in hint
    assert "10 evaluations" in hint
    assert run(toy, methods[:1], evaluations=30, **settings).gone_on == 0  # without noise


def test_a_record_goes_on_only_with_the_same_answers() -> None:
    def record(count: int, **changed: Any) -> Record:
        numbers = np.arange(count, dtype=np.int32)
        signals = np.where(numbers == 2, np.nan, numbers)[:, None]
        fields = {"architectures": numbers, "epochs": numbers + 1, "signals": signals}
        rest = {
            "evaluations": numbers + 1.0,
            "seconds": numbers * 0.0,
            "recommended": numbers * 0 - 1,
        }
        return Record(**{**fields, **rest, **changed})

    assert goes_on(record(4), record(4))
    assert goes_on(record(4), record(9))
    assert not goes_on(record(9), record(4))
    for name in ("architectures", "epochs", "signals"):
        altered = getattr(record(9), name).copy()
        altered[3] += 1
        assert not goes_on(record(4), record(9, **{name: altered}))
        assert goes_on(record(3), record(9, **{name: altered}))
    named = record(3, strings=("a", "b", "c"))
    assert goes_on(named, record(4, strings=("a", "b", "c", "d")))
    assert not goes_on(named, record(4, strings=("a", "c", "b", "d")))


def test_kill_at_any_moment_and_go_on(toy_file: Path, tmp_path: Path) -> None:
    """Kill -9 the whole run again and again; in the end everything is there, once, unchanged."""
    arguments = ["run", "--benchmark", str(toy_file), "--seeds", "0-39", "--jobs", "2", "--quiet"]
    arguments += ["--methods", "random,local-search", "--evaluations", "300", "--store"]
    undisturbed = tmp_path / "undisturbed.sqlite"
    subprocess.run([NASBENCH, *arguments, undisturbed], check=True)
    killed = tmp_path / "killed.sqlite"
    finished, kills = 0, 0
    rng = np.random.default_rng(0)
    for _ in range(4):
        process = subprocess.Popen([NASBENCH, *arguments, killed], start_new_session=True)
        deadline = time.monotonic() + 60
        target = finished + rng.integers(1, 15)
        while process.poll() is None and time.monotonic() < deadline:
            if killed.exists() and trials_in(killed) >= target:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.002)
        process.wait()
        now = trials_in(killed)
        assert now >= finished, "nothing finished may be lost"
        finished = now
    assert kills >= 3, "the runs ended before they could be killed"
    subprocess.run([NASBENCH, *arguments, killed], check=True)
    assert contents(killed) == contents(undisturbed)
    assert len(contents(killed)["trials"]) == 80


def trials_in(store: Path) -> int:
    try:
        connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
        (count,) = connection.execute("SELECT count(*) FROM trials").fetchone()
        connection.close()
    except sqlite3.Error:
        return 0
    return int(count)


@dataclass
class Stumbles(Method):
    """Raises in the middle of its search, on odd seeds."""

    def step(self, session: Session) -> None:
        session.evaluate(session.space.sample(session.rng))
        if session.trainings == 5 and session.seed % 2:
            raise ZeroDivisionError("a slip")


@dataclass
class Strays(Method):
    """Returns an architecture outside the space."""

    def step(self, session: Session) -> None:
        session.evaluate("|nor_conv_7x7~0|+|none~0|none~1|+|none~0|none~1|none~2|")


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failing_method_is_recorded_and_the_others_go_on(
    toy: Benchmark, tmp_path: Path, jobs: int
) -> None:
    store = tmp_path / "r.sqlite"
    methods = [("stumbles", Stumbles()), ("strays", Strays()), "random"]
    summary = run(toy, methods, seeds=range(4), store=store, jobs=jobs)
    assert summary.finished == 2 + 0 + 4
    assert len(summary.failures) == 2 + 4
    with ResultStore(store, read_only=True) as results:
        trials = results.trials().set_index(["method", "seed"])
    assert trials.loc[("stumbles", 1), "status"] == "failed"
    assert "ZeroDivisionError: a slip" in trials.loc[("stumbles", 1), "message"]
    assert "Unknown operation 'nor_conv_7x7'" in trials.loc[("strays", 0), "message"]
    assert (trials.loc["random", "status"] == "finished").all()


def test_trials_read_in_pieces_are_the_same_frame(
    toy: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a piece holds failures alone, whose figures are missing."""
    store = tmp_path / "r.sqlite"
    methods = ["random", ("broken", Stumbles()), "local-search"]
    run(toy, methods, seeds=(1, 2, 3, 5), store=store, evaluations=10)
    frames = []
    for rows in (100_000, 2):
        monkeypatch.setattr("nasbench_suite.store.reading._CHUNK", rows)
        with ResultStore(store, read_only=True) as results:
            frames.append(results.trials())
    pd.testing.assert_frame_equal(*frames, check_dtype=False)
    assert frames[1]["report"].dtype == float
    assert frames[1]["method"].tolist() == sorted(["broken", "local-search", "random"] * 4)


def test_a_failed_trial_runs_again(toy: Benchmark, tmp_path: Path) -> None:
    store = tmp_path / "r.sqlite"
    run(toy, [("stumbles", Stumbles())], seeds=[0, 1], store=store)
    summary = run(toy, [("stumbles", Stumbles())], seeds=[0, 1], store=store)
    assert (summary.finished, summary.skipped, len(summary.failures)) == (0, 1, 1)
    assert len(contents(store)["trials"]) == 2


def test_a_multi_objective_task_refuses_a_single_objective_method(
    toy: Benchmark, tmp_path: Path
) -> None:
    with pytest.raises(SuiteError, match="choose a multi-objective method"):
        run(toy, "local-search", objectives=["toy_train_time_9"], store=tmp_path / "r.sqlite")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--methods", "randon"], "Unknown method 'randon': did you mean 'random'?"),
        (["--methods", "random", "--benchmark", "digit"], "did you mean 'digits'"),
        (["--methods", "random", "--seeds", "4-0"], "write 0-4"),
        (["--methods", "random", "--seeds", "a"], "no list of seeds"),
        (["--methods", "random", "--evaluations", "-1"], "impossible"),
        (["--methods", "random", "--jobs", "0"], "impossible"),
        (["--methods", "random[x=1]"], "Unknown hyper-parameter"),
        (["--methods", "regularized-evolution[population_size=many]"], "valid integer"),
        (["--methods", "random", "--signal", "toy_test_9"], "must not see"),
        (["--methods", "random", "--judged-by", "toy_tset_9"], "did you mean"),
        (["--methods", "random", "--dataset", "boy"], "did you mean 'toy'"),
        (["--methods", "random", "--store", "/dev/null/x.sqlite"], "cannot be opened"),
    ],
)
def test_bad_arguments_get_one_sentence_and_exit_code_2(
    toy_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    nasbench: Command,
    arguments: list[str],
    sentence: str,
) -> None:
    if "--benchmark" not in arguments:
        arguments = [*arguments, "--benchmark", str(toy_file)]
    monkeypatch.chdir(tmp_path)
    code, _, said = nasbench("run", *arguments)
    assert code == 2
    assert said.startswith("nasbench: ")
    assert said.count("\n") == 1
    assert sentence in said
    assert not (tmp_path / "results.sqlite").exists()


def test_a_failing_method_exits_with_2_and_keeps_the_rest(
    toy_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A third party's package, installed by its metadata alone, whose method raises."""
    (tmp_path / "stumbling.py").write_text(
        "from dataclasses import dataclass\n"
        "from nasbench_suite.tasks import Method\n"
        "@dataclass\n"
        "class Stumbles(Method):\n"
        "    def step(self, session):\n"
        "        raise RuntimeError('a slip')\n"
    )
    metadata = tmp_path / "stumbling-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: stumbling\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[nasbench_suite.methods]\nstumbles = stumbling:Stumbles\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    command = [NASBENCH, "run", "--benchmark", toy_file, "--seeds", "0-1", "--quiet"]
    answer = subprocess.run(
        [*command, "--methods", "stumbles,random"], capture_output=True, text=True, cwd=tmp_path
    )
    assert answer.returncode == 2
    assert "stumbles on toy/toy, seed 0: RuntimeError: a slip (line 6 of" in answer.stderr
    assert "2 trials failed, all others are kept" in answer.stderr
    statuses = [row[3] for row in contents(tmp_path / "results.sqlite")["trials"]]
    assert sorted(statuses) == ["failed", "failed", "finished", "finished"]


@dataclass
class Walker(Method):
    """A slow walk that keeps checkpoints, and is killed once on its way."""

    killed_at: int = -1

    @property
    def config(self) -> dict[str, Any]:
        """One method, killed or not."""
        return {"killed_at": -1}

    def start(self, session: Session) -> None:
        self.here, self.session = session.space.sample(session.rng), session

    def step(self, session: Session) -> None:
        if session.trainings == self.killed_at:
            raise KeyboardInterrupt
        session.evaluate(self.here)
        self.here = session.space.mutate(self.here, session.rng)

    def checkpoint(self) -> bytes:
        return str(self.here).encode()

    def restore(self, state: bytes) -> None:
        self.here = int(state)


class Runner(Walker):
    """Another method, of the same settings."""


def test_an_interrupted_search_goes_on_from_its_checkpoint(
    toy: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nasbench_suite.runner.jobs.CHECKPOINT_SECONDS", 0.0)
    whole, parts = tmp_path / "whole.sqlite", tmp_path / "parts.sqlite"
    # One of both trainings answers at random, so that the noise has to go on as well.
    noisy: dict[str, Any] = {"seeds": [3], "answers": "sample", "crossfit": False}
    run(toy, [("walker", Walker())], store=whole, **noisy)
    walker, here = [("walker", Walker(killed_at=60))], ThisProcess()
    with pytest.raises(KeyboardInterrupt):
        run(toy, walker, store=parts, executor=here, **noisy)
    (checkpoint,) = (tmp_path / "parts.sqlite.checkpoints").iterdir()
    with np.load(checkpoint) as archive:
        assert len(archive["architectures"]) == 60
    # The first step of the method would raise, so the search can only go on from step 60.
    summary = run(toy, [("walker", Walker(killed_at=1))], store=parts, **noisy)
    assert summary.failures == []
    assert contents(parts)["records"] == contents(whole)["records"]
    assert not checkpoint.parent.exists()


def test_a_damaged_checkpoint_is_named(toy: Benchmark, tmp_path: Path) -> None:
    trial = Trial(make_task(toy), Walker(), 0)
    trial.advance(5)
    path = tmp_path / "c.npz"
    assert trial.save(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(SuiteError, match=r"c\.npz is damaged .*: delete it"):
        Trial(make_task(toy), Walker(), 0).load(path)


def test_a_checkpoint_of_another_search_is_refused(toy: Benchmark, tmp_path: Path) -> None:
    """A file that was renamed: with it, seed 1 once went on as seed 0 had begun."""
    task, path = make_task(toy, evaluations=9), tmp_path / "c.npz"
    trial = Trial(task, Walker(), 0)
    trial.advance(5)
    trial.save(path)
    for other, what in (
        (Trial(task, Walker(), 1), "seed"),
        (Trial(task, Runner(), 0), "method"),
        (Trial(make_task(toy, evaluations=8), Walker(), 0), "task"),
    ):
        with pytest.raises(SuiteError, match=f"belongs to another {what}: delete it"):
            other.load(path)
    assert isinstance(run_job(task, Walker(), Job(0, 1, path)), Failure)


def test_a_trial_uses_nothing_of_a_damaged_checkpoint(toy: Benchmark, tmp_path: Path) -> None:
    """60 bits flipped, one at a time: the trial fails and says so, or goes on as it would have."""
    task, job = make_task(toy, evaluations=9), Job(0, 0, tmp_path / "c.npz")
    trial = Trial(task, Walker(), job.seed)
    trial.advance(5)
    trial.save(job.checkpoint)
    sound = job.checkpoint.read_bytes()
    trial.advance()
    truth, failed = vars(trial.result().record), 0
    for bit in np.random.default_rng(0).integers(0, 8 * len(sound), size=60).tolist():
        flipped = bytearray(sound)
        flipped[bit // 8] ^= 1 << bit % 8
        job.checkpoint.write_bytes(flipped)
        outcome = run_job(task, Walker(), job)
        if isinstance(outcome, Failure):
            assert "is damaged" in outcome.message
            failed += 1
        else:
            np.testing.assert_equal(vars(outcome.record), truth)
    assert failed > 40


def test_labels_are_specifications() -> None:
    changed = make_method("regularized-evolution", {"population_size": "7", "sample_size": "3"})
    label = method_label("regularized-evolution", changed)
    ((name, settings),) = parse_methods(label)
    assert make_method(name, settings) == changed
    assert method_label("random", make_method("random")) == "random"


def test_the_package_offers_the_calls_of_the_command_line() -> None:
    assert callable(nasbench_suite.run)
    assert callable(nasbench_suite.load_benchmark)
    assert callable(nasbench_suite.leaderboard)
