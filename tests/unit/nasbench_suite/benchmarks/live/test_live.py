"""Benchmarks that train: what is kept, what is gone on with, and every command on top of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from typer.testing import CliRunner

from nasbench_suite import run
from nasbench_suite.analysis.leaderboard import leaderboard
from nasbench_suite.benchmarks.open import load_open
from nasbench_suite.benchmarks.surrogates import load_any
from nasbench_suite.commands.app import build_app
from nasbench_suite.datasets import load_images
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import Trial
from nasbench_suite.runner.larger_budgets import goes_on
from nasbench_suite.spaces import load_space
from nasbench_suite.store import ResultStore
from nasbench_suite.submissions.files import make_submission
from nasbench_suite.submissions.verifying import verify_submission
from nasbench_suite.tasks import make_task
from nasbench_suite.tasks.methods import make_method

torch = pytest.importorskip("torch", reason="training needs the extra 'torch'")

from nasbench_suite.benchmarks.live import training, trainings  # noqa: E402

SMALL = "images=60,test_images=40,resolution=4"
TINY = f"live:digits[{SMALL},epochs=2,channels=6,cells=1]"
SPACES = ("nats-tss", "darts", "darts-s1", "darts-s4", "nasbench101")
# Two cells that differ in the order of their nodes alone.
TWINS = (
    "sep_conv_3x3~0|skip_connect~1|dil_conv_3x3~0|max_pool_3x3~1|skip_connect~0|skip_connect~1"
    "|skip_connect~2|skip_connect~3",
    "dil_conv_3x3~0|max_pool_3x3~1|sep_conv_3x3~0|skip_connect~1|skip_connect~0|skip_connect~1"
    "|skip_connect~2|skip_connect~3",
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path / "home"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path / "home"
    torch.set_num_threads(threads)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """After how many epochs each epoch of any training ended."""
    epochs: list[int] = []
    once = training.Training.train_epoch

    def counted(self: training.Training) -> training.Reading:
        reading = once(self)
        epochs.append(reading.epochs)
        return reading

    monkeypatch.setattr(training.Training, "train_epoch", counted)
    return epochs


def draw(space, seed=0):
    return space.sample(np.random.default_rng(seed))


@pytest.mark.parametrize("space", SPACES)
def test_a_network_of_every_space_is_trained_once(space: str, trained: list[int]) -> None:
    benchmark = load_open(TINY, space)
    architecture = draw(benchmark.space)
    names = ("digits_valid_2", "digits_test_2", "digits_train_time_2", "digits_valid_1")
    figures = [benchmark.figures([architecture], name)[0] for name in names]
    assert trained == [1, 2]
    assert all(0 <= accuracy <= 100 for accuracy in (figures[0], figures[1], figures[3]))
    assert figures[2] > 0
    again = load_open(TINY, space)
    assert [again.figures([architecture], name)[0] for name in names] == figures
    assert trained == [1, 2]
    parameters, flops = benchmark.count(architecture)
    assert again.figures([architecture], "parameters") == parameters
    assert again.figures([architecture], "flops") == flops
    (entry,) = benchmark.trainings.entries()
    assert entry["megabytes"] > 4 * 3 * parameters / 1e6
    assert entry["made_by"]["torch"] == torch.__version__


def test_a_training_that_was_left_goes_on_to_the_same_bits(home: Path, trained: list[int]) -> None:
    name = TINY.replace("epochs=2", "epochs=5")
    space = load_space("darts-s4")  # whose networks draw noise as they compute
    architecture = draw(space)
    metrics = [f"digits_{split}_{e}" for split in ("valid", "test") for e in (1, 2, 4, 5)]
    whole = load_open(name, space.name)
    at_once = [whole.figures([architecture], metric)[0] for metric in reversed(metrics)]
    assert trained == [1, 2, 3, 4, 5]
    shutil.rmtree(home)
    for epochs in (1, 4, 5):  # in a process of its own each, as far as the benchmark can tell
        load_open(name, space.name).figures([architecture], f"digits_valid_{epochs}")
    assert trained[5:] == [1, 2, 3, 4, 5]
    parts = load_open(name, space.name)
    assert [parts.figures([architecture], m)[0] for m in reversed(metrics)] == at_once
    assert not list(home.rglob("*.npz")), "the state of a finished training is kept"


def test_a_lost_state_costs_time_and_nothing_else(home: Path, trained: list[int]) -> None:
    benchmark = load_open(TINY, "nats-tss")
    first = benchmark.figures([7], "digits_valid_1")
    seconds = benchmark.figures([7], "digits_train_time_1")
    (state,) = home.rglob("*.npz")
    state.unlink()
    benchmark.figures([7], "digits_valid_2")
    assert trained == [1, 1, 2]
    assert benchmark.figures([7], "digits_valid_1") == first
    assert benchmark.figures([7], "digits_train_time_1") == seconds


def test_architectures_that_compute_the_same_share_a_training(home: Path, trained) -> None:
    string = " / ".join((TWINS[0], TWINS[0])), " / ".join((TWINS[1], TWINS[1]))
    figures = []
    for order in (string, string[::-1]):
        benchmark = load_open(TINY, "darts")
        figures += [benchmark.figures([benchmark.space.read(s)], "digits_test_2") for s in order]
        assert len(trained) == 2
        trained.clear()
        shutil.rmtree(home)
    assert len(set(np.concatenate(figures).tolist())) == 1


def test_seeds_of_a_training_differ_and_are_averaged() -> None:
    benchmark = load_open(TINY.replace("epochs=2", "epochs=2,trainings=3"), "nats-tss")
    index = benchmark.space.index("|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|"
                                  "nor_conv_3x3~2|")  # fmt: skip
    losses = {benchmark.train(index, seed, 2)["readings"][1]["loss"] for seed in range(3)}
    assert len(losses) == 3
    each = [benchmark.figures([index], "digits_valid_2", seed)[0] for seed in range(3)]
    assert benchmark.figures([index], "digits_valid_2")[0] == np.mean(each)
    assert benchmark.metric("digits_valid_2").seeds == (0, 1, 2)


def test_what_is_seen_reported_and_trained_on_are_different_images() -> None:
    whole = load_images("digits")
    photographs = type(whole)(  # a data set without validation images of its own
        "made", {name: whole.splits[name] for name in ("train", "test")}, whole.classes
    )
    for held, count in ((None, 160), (100, 100)):
        parts = training.split_images(photographs, held)
        assert len(parts["valid"]) == count
        assert len(parts["train"]) + count == len(whole.train)
        seen = [{image.tobytes() for image in part.images} for part in parts.values()]
        assert not seen[0] & seen[1]
        assert not (seen[0] | seen[1]) & seen[2]
        shares = np.bincount(parts["valid"].labels) / count
        assert np.abs(shares - np.bincount(whole.train.labels) / len(whole.train)).max() < 0.01
        assert_array_equal(parts["test"].images, whole.test.images)


def test_images_are_shifted_by_an_eighth_and_photographs_mirrored() -> None:
    images = torch.rand(64, 3, 16, 16) + 1
    moved = training.shift_and_mirror(images, torch.Generator().manual_seed(0))
    assert moved.shape == images.shape
    ways = set()
    for before, after in zip(images, moved, strict=True):
        padded = torch.nn.functional.pad(before, (2, 2, 2, 2))
        for mirror in (False, True):
            whole = padded.flip(-1) if mirror else padded
            for row in range(5):
                for column in range(5):
                    if torch.equal(whole[:, row : row + 16, column : column + 16], after):
                        ways.add((mirror, row, column))
    assert {way[0] for way in ways} == {False, True}
    assert {way[1] for way in ways} == {way[2] for way in ways} == set(range(5))
    digit = torch.arange(64.0).view(1, 1, 8, 8).repeat(40, 1, 1, 1)
    rolled = training.shift_and_mirror(digit, torch.Generator().manual_seed(1))
    middle = rolled[:, 0, 3, 2:6]
    assert (middle.diff(dim=1) == 1).all(), "a digit was mirrored"


def methods_of(space: str) -> str:
    evolution = "regularized-evolution[population_size=3,sample_size=2]"
    differentiable = "darts[epochs=1,width=2,cells=3,batch_size=200,diagnose_every=9]"
    return f"random,{evolution}" + (f",{differentiable}" if space.startswith("darts") else "")


@pytest.mark.parametrize("space", ["darts-s1", "nats-tss", "nasbench101"])
def test_every_command_works_on_it(space: str, tmp_path: Path) -> None:
    store, baseline = tmp_path / "r.sqlite", tmp_path / "b.json"
    named = ("random", "regularized-evolution[", *(["darts["] if space == "darts-s1" else []))
    runner, app = CliRunner(), build_app()

    def nasbench(*arguments: object) -> str:
        result = runner.invoke(app, [*map(str, arguments)])
        assert result.exit_code == 0, result.output
        return result.output

    asked = ("--benchmark", TINY, "--space", space, "--methods", methods_of(space))
    nasbench("run", *asked, "--seeds", "0-4", "--evaluations", 4, "--store", store, "--quiet")
    board = nasbench("leaderboard", store, "--format", "csv")
    assert "live:digits" in board
    assert sum(f",{name}" in board or f'"{name}' in board for name in named) == len(named)
    nasbench("robustness", store)
    nasbench("report", store, "--output", tmp_path / "report.html")
    assert "live:digits" in (tmp_path / "report.html").read_text()
    nasbench("check", "--store", store, "--baseline", baseline, "--save")
    decidable = ("--margin", 60, "--rare", 0)
    nasbench("check", "--store", store, "--baseline", baseline, *decidable)


def records(store: Path) -> list[object]:
    with ResultStore(store, read_only=True) as results:
        found = []
        for trial in results.trials()["trial"]:
            record, incumbents = results.record(int(trial)), results.incumbents([int(trial)])
            found.append((record.strings, record.signals.tolist(), incumbents["report"].tolist()))
        return sorted(found, key=repr)


def kept(home: Path) -> list[int]:
    """After how many epochs each training that is noted ended."""
    (journal,) = home.rglob("trainings.jsonl")
    return [json.loads(line)["epochs"] for line in journal.read_text().splitlines()]


def test_a_search_is_judged_by_what_it_trained_itself(tmp_path: Path, home: Path) -> None:
    """Whatever others trained before, it has the same record and the same incumbents."""
    name = TINY.replace("epochs=2", "epochs=4")
    for store in ("alone", "later"):
        run(
            name,
            "successive-halving",
            space="nats-tss",
            seeds=[0],
            evaluations=2,
            store=tmp_path / store,
        )
        if store == "alone":
            halved = len(kept(home))
            assert 0 < kept(home).count(4) < kept(home).count(1)
            benchmark = load_open(name, "nats-tss")
            with ResultStore(tmp_path / "alone", read_only=True) as results:
                strings = results.record(1).strings
            benchmark.figures([benchmark.space.index(s) for s in strings], "digits_test_4")
            assert len(kept(home)) > halved
    assert records(tmp_path / "alone") == records(tmp_path / "later")


def test_a_larger_budget_trains_only_what_is_new(tmp_path: Path, trained: list[int]) -> None:
    benchmark = load_open(TINY, "nats-tss")

    def searched(evaluations: int) -> Trial:
        trial = Trial(make_task(benchmark, evaluations=evaluations), make_method("random", {}), 0)
        trial.advance()
        return trial

    short = searched(3).result().record
    epochs = len(trained)
    long = searched(5).result().record
    assert goes_on(short, long)
    assert (epochs, len(trained)) == (6, 10)


def test_what_a_differentiable_search_returns_is_trained_after_it(tmp_path, home) -> None:
    run(TINY, methods_of("darts-s1").split(",", 3)[-1], space="darts-s1", seeds=[0],
        evaluations=1, store=tmp_path / "r")  # fmt: skip
    assert kept(home) == [2]  # the search's own network is another
    assert leaderboard(tmp_path / "r")["mean"].between(0, 100).all()


@pytest.mark.slow
def test_parallel_trials_share_trainings_and_give_the_same(home: Path, tmp_path: Path) -> None:
    for jobs in (1, 2):
        run(
            TINY,
            "random,local-search",
            space="nats-tss",
            seeds=[0, 1],
            evaluations=3,
            jobs=jobs,
            store=tmp_path / str(jobs),
        )
        (journal,) = home.rglob("trainings.jsonl")
        lines = [json.loads(line) for line in journal.read_text().splitlines()]
        assert len({(line["architecture"], line["epochs"]) for line in lines}) == len(lines)
        if jobs == 1:
            shutil.rmtree(home)
    assert records(tmp_path / "1") == records(tmp_path / "2")


def test_seconds_are_those_that_trainings_took(tmp_path: Path) -> None:
    run(TINY, "random", space="nats-tss", seeds=[0], evaluations=3, store=tmp_path / "r")
    benchmark = load_open(TINY, "nats-tss")
    with ResultStore(tmp_path / "r", read_only=True) as results:
        record = results.record(1)
    took = [benchmark.figures([benchmark.space.index(s)], "digits_train_time_2")[0]
            for s in record.strings]  # fmt: skip
    np.testing.assert_allclose(record.seconds, np.cumsum(np.array(took)[record.architectures]))


def test_a_name_says_all_and_nothing_twice() -> None:
    benchmark = load_open(f"live:digits[epochs=2,{SMALL}]", "darts")
    assert benchmark.name == f"live:digits[space=darts,{SMALL},epochs=2]"
    assert load_any(benchmark.name).checksum == benchmark.checksum
    assert (
        load_open("live:digits[space=darts]").checksum
        == load_open("live:digits[epochs=8,channels=8,cells=5]", "darts").checksum
    )
    others = ("epochs=3", "channels=4", "trainings=2", "learning_rate=0.1", "images=90", "batch=8")
    keys = {load_open(f"live:digits[{other}]", "darts").checksum for other in others}
    keys |= {load_open("live:digits", space).checksum for space in ("darts", "darts-s1")}
    assert len(keys) == len(others) + 2


def test_claims_are_computed_again_from_what_is_kept(tmp_path: Path) -> None:
    store = tmp_path / "r.sqlite"
    run(TINY, "random,hyperband", space="nats-tss", seeds=[0, 1], evaluations=2, store=store)
    submission = make_submission(store, tmp_path / "s.nasbench.json.gz")
    assert verify_submission(submission).faults == ()
    forged = submission.model_copy(deep=True)
    forged.trials[0].reports[-1] += 1
    assert [fault.kind for fault in verify_submission(forged).faults] == ["forged"]


def test_claims_of_another_machine_are_judged_by_what_is_trained_here(
    tmp_path: Path, home: Path
) -> None:
    store = tmp_path / "r.sqlite"
    run(TINY, "random", space="nats-tss", seeds=[0], evaluations=2, store=store)
    submission = make_submission(store, tmp_path / "s.nasbench.json.gz")
    assert verify_submission(submission).level == "trainings"
    (journal,) = home.rglob("trainings.jsonl")
    shutil.rmtree(journal.parent)  # as on a machine that has trained none of it
    elsewhere = submission.model_copy(deep=True)
    elsewhere.trials[0].signals[0][0] -= 5  # where the same training came to something else
    elsewhere.trials[0].reports[-1] += 5
    found = verify_submission(elsewhere)
    assert (found.faults, found.level) == ((), "form")
    (doubt,) = found.doubts
    assert doubt.kind == "trainings"
    assert "evaluation 1" in doubt.what
    assert found.results[0].incumbents.reports.max() < max(elsewhere.trials[0].reports)
    forged = submission.model_copy(deep=True)  # with every signal as it is here
    forged.trials[0].reports[-1] += 5
    assert [fault.kind for fault in verify_submission(forged).faults] == ["forged"]


@pytest.mark.parametrize(
    ("name", "space", "sentence"),
    [
        ("live:digits", None, "say which with --space"),
        ("live:digits[epoch=3]", "darts", "did you mean 'epochs'"),
        ("live:digits[epochs=0]", "darts", "1 or more"),
        ("live:digits[epochs=x]", "darts", "whole number"),
        ("live:digits[cells=1000000000]", "darts", "1,000 or fewer"),
        ("live:digits[trainings=1000000000]", "darts", "1,000 or fewer"),
        ("live:digits[learning_rate=-1]", "darts", "above 0"),
        ("live:digits[space=darts]", "darts-s1", "leave --space out"),
        ("live:digit", "darts", "did you mean 'digits'"),
        ("live:cifar10", "darts", "nasbench data images"),
        ("live:digits", "fbnet", "Networks of space 'fbnet' are not known"),
        ("live:digits", "transnas101-micro", "that 32 divides"),
        ("live:digits[channels=4]", "nats-sss", "says its channels itself"),
        ("live:digits[valid_images=9]", "darts", "validation images of its own"),
        ("live:digits[device=cuda:77]", "darts", "choose cpu"),
        ("live:digits[device=gpu]", "darts", "choose cpu"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is(name, space, sentence) -> None:
    with pytest.raises(SuiteError, match=sentence):
        load_open(name, space)


def test_a_damaged_journal_is_named_and_kept(home: Path) -> None:
    load_open(TINY, "nats-tss").figures([3], "digits_valid_2")
    (journal,) = home.rglob("trainings.jsonl")
    whole = journal.read_bytes()
    with journal.open("ab") as file:
        file.write(b'{"architecture": "x", "se')  # what a kill leaves
    benchmark = load_open(TINY, "nats-tss")
    benchmark.figures([3], "digits_valid_2")
    benchmark.figures([4], "digits_valid_2")
    assert journal.read_bytes().startswith(whole)
    assert len(trainings.Journal(journal).entries()) == 2
    journal.write_bytes(whole + b'{"architecture": 1}\n')
    with pytest.raises(SuiteError, match=r"damaged at line 2 .*delete that line"):
        load_open(TINY, "nats-tss").figures([5], "digits_valid_2")
