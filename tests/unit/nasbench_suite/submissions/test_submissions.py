"""Submissions: what is made is sound, and every forgery is named."""

from __future__ import annotations

import gzip
import json
import lzma
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasbench_suite import leaderboard
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.benchmarks.table_file import write_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import ThisProcess, run
from nasbench_suite.store import ResultStore
from nasbench_suite.submissions import (
    Submission,
    Verification,
    make_submission,
    merge_submissions,
    read_submission,
    verify_submission,
)
from nasbench_suite.submissions.files import DENSE, SUFFIX, write_submission
from nasbench_suite.tasks import Method, Session


@dataclass
class Seer(Method):
    """Recommends what it evaluated that is best by figures it should not have."""

    def start(self, session: Session) -> None:
        self.best = -1

    def step(self, session: Session) -> None:
        architecture = session.space.sample(session.rng)
        session.evaluate(architecture)
        if self.best < 0 or TEST[architecture] >= TEST[self.best]:
            self.best = architecture
        session.recommend(self.best)


TEST: list[float] = []


@pytest.fixture(scope="module")
def store(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("submissions") / "r.sqlite"
    run(toy, "random,hyperband", seeds=range(4), store=path, simulated_seconds=150, crossfit=False)
    run(toy, "random,local-search", seeds=range(3), store=path, evaluations=30, answers="sample")
    run(toy, "random", seeds=range(2), store=path, evaluations=20, objectives=["toy_train_time_9"])
    return path


@pytest.fixture(scope="module")
def made(store: Path) -> Submission:
    return make_submission(store, store.with_name(f"all{SUFFIX}"), author="A. Nobody")


@pytest.fixture
def verify(toy: Benchmark) -> Callable[..., Verification]:
    return lambda submission, **settings: verify_submission(
        submission, load=lambda _: toy, **settings
    )


def test_what_was_run_is_sound_and_runs_again_alike(
    made: Submission, verify: Callable[..., Verification]
) -> None:
    assert len(made.trials) == 8 + 6 + 2
    found = verify(made, rerun=6)
    assert found.faults == ()
    assert found.notes == ()
    assert found.rerun == 6


def test_reruns_are_spread_over_the_methods(
    made: Submission, verify: Callable[..., Verification]
) -> None:
    """A level of reruns is said where some trial of each method was run again."""
    methods = len({trial.method for trial in made.trials})
    assert methods == 3
    assert verify(made, rerun=methods).level == "rerun"
    few = verify(made, rerun=methods - 1)
    assert few.level == "table"
    assert few.notes == (
        "2 of 3 methods were run again: ask for 3 trials or more, and some of each are.",
    )
    assert verify(made, rerun=1000).rerun == len(made.trials)


def test_a_results_file_is_verified_like_a_submission(
    store: Path, made: Submission, verify: Callable[..., Verification]
) -> None:
    found = verify(store, rerun=3)
    assert (found.faults, found.level) == ((), "rerun")
    assert found.submission.trials == made.trials


def test_a_benchmark_that_is_not_at_hand_is_asked_for(made: Submission) -> None:
    with pytest.raises(SuiteError, match=r"Unknown benchmark 'toy'.* data import FILE --name toy"):
        verify_submission(made)


def test_equal_results_give_equal_small_files(store: Path, tmp_path: Path) -> None:
    first, second = tmp_path / f"a{SUFFIX}", tmp_path / f"b{SUFFIX}"
    make_submission(store, first, author="A. Nobody")
    make_submission(store, second, author="A. Nobody")
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < store.stat().st_size / 4
    only = make_submission(store, second, methods=["random"])
    assert {method.label for method in only.methods} == {"random"}


def altered(made: Submission, change: Callable[[dict[str, Any]], None]) -> Submission:
    content = json.loads(json.dumps(made.model_dump()))
    change(content)
    return Submission.model_validate(content)


def place_of(content: dict[str, Any], noise: str, objectives: int = 1) -> int:
    """A trial of random search on a task of that kind."""
    tasks = {task["key"]: task["config"] for task in content["tasks"]}
    names = {method["key"]: method["name"] for method in content["methods"]}
    return next(
        place
        for place, trial in enumerate(content["trials"])
        if names[trial["method"]] == "random"
        and tasks[trial["task"]]["noise"] == noise
        and len(tasks[trial["task"]]["objectives"]) == objectives
    )


def forge_report(content: dict[str, Any]) -> None:
    content["trials"][place_of(content, "mean")]["reports"][-1] += 0.5


def forge_front(content: dict[str, Any]) -> None:
    content["trials"][place_of(content, "mean", 2)]["reports"][-1] += 0.01


def forge_signal(content: dict[str, Any]) -> None:
    content["trials"][place_of(content, "mean")]["signals"][2][0] += 1e-3


def forge_sampled_signal(content: dict[str, Any]) -> None:
    content["trials"][place_of(content, "sample")]["signals"][2][0] += 1e-3


def forge_architecture(content: dict[str, Any]) -> None:
    content["trials"][place_of(content, "mean")]["architectures"][0] += 1


def forge_optimum(content: dict[str, Any]) -> None:
    content["tasks"][0]["optimum"] += 1.0


def stray(content: dict[str, Any]) -> None:
    content["trials"][0]["architectures"][0] = 15_625


def copy_seed(content: dict[str, Any]) -> None:
    content["trials"].append(content["trials"][0])


def other_table(content: dict[str, Any]) -> None:
    content["tasks"][0]["config"]["checksum"] = "0" * 64


def larger_budget(content: dict[str, Any]) -> None:
    content["tasks"][0]["config"]["evaluations"] = 1e6


def odd_epochs(content: dict[str, Any]) -> None:
    content["trials"][0]["epochs"][0] = 2


def nowhere(content: dict[str, Any]) -> None:
    content["environments"] = []


def cut_list(content: dict[str, Any]) -> None:
    content["trials"][0]["epochs"].pop()


@pytest.mark.parametrize(
    ("change", "kind", "what"),
    [
        (forge_report, "forged", "comes to"),
        (forge_front, "forged", "comes to"),
        (forge_signal, "forged", "other signals at evaluation 3"),
        (forge_sampled_signal, "forged", "other signals at evaluation 3"),
        (forge_architecture, "forged", "signals at evaluation 1"),
        (forge_optimum, "forged", "optimum"),
        (stray, "record", "outside the 15625"),
        (copy_seed, "duplicate seed", "2 times"),
        (other_table, "task", "another table"),
        (larger_budget, "task", "key"),
        (odd_epochs, "record", "2 epochs"),
        (cut_list, "record", "different lengths"),
        (nowhere, "record", "where it ran"),
    ],
)
def test_every_forgery_is_named(
    made: Submission,
    verify: Callable[..., Verification],
    change: Callable[[dict[str, Any]], None],
    kind: str,
    what: str,
) -> None:
    found = verify(altered(made, change))
    assert not found.accepted
    assert kind in {fault.kind for fault in found.faults}
    assert any(what in fault.what for fault in found.faults if fault.kind == kind)


@pytest.mark.parametrize("unit", ["evaluations", "seconds"])
def test_exceeded_budgets_are_named(
    toy: Benchmark, made: Submission, verify: Callable[..., Verification], unit: str
) -> None:
    """A longer search is told as one on a shorter task."""

    def exceed(content: dict[str, Any]) -> None:
        keys = [t["key"] for t in content["tasks"] if t["config"][unit] is not None]
        trial = next(t for t in content["trials"] if t["task"] == keys[0] and t["epochs"][0] == 9)
        for name in ("architectures", "epochs", "signals", "recommended"):
            trial[name] = trial[name] * 40

    found = verify(altered(made, exceed))
    assert any(f.kind == "budget" and f.what.endswith(f" {unit}.") for f in found.faults)


def test_one_evaluation_over_the_budget_is_named(
    toy: Benchmark, made: Submission, verify: Callable[..., Verification]
) -> None:
    """A search of 31 evaluations where 30 are allowed, in every other way as it should be."""
    worst = int(toy.values("toy_valid_9").argmin())
    answer = toy.seed_values("toy_valid_9")[worst][0]

    def add_one(content: dict[str, Any]) -> None:
        trial = content["trials"][place_of(content, "sample")]
        trial["architectures"].append(worst)
        trial["epochs"].append(9)
        trial["signals"].append([float(answer)])
        trial["recommended"].append(-1)

    (fault,) = verify(altered(made, add_one)).faults
    assert (fault.kind, fault.what) == ("budget", "it spent 31 of 30 evaluations.")


def test_a_search_on_test_figures_is_a_leak(
    toy: Benchmark, made: Submission, verify: Callable[..., Verification]
) -> None:
    def told_the_test(content: dict[str, Any], noise: str = "mean") -> None:
        trial = content["trials"][place_of(content, noise)]
        figures = toy.values("toy_test_9")[trial["architectures"]].tolist()
        trial["signals"] = [[figure] for figure in figures]

    def task_on_the_test(content: dict[str, Any]) -> None:
        content["tasks"][0]["config"]["objectives"][0][0] = "toy_test_9"

    def told_the_whole_test(content: dict[str, Any]) -> None:
        told_the_test(content, "sample")  # a task whose trainings are divided

    for change in (told_the_test, told_the_whole_test, task_on_the_test):
        found = verify(altered(made, change))
        assert "test leakage" in {fault.kind for fault in found.faults}


def test_recommending_by_the_test_is_a_leak(
    toy: Benchmark, tmp_path: Path, verify: Callable[..., Verification]
) -> None:
    TEST[:] = toy.value_list("toy_test_9")
    store = tmp_path / "s.sqlite"
    here = ThisProcess()  # where the figures are that it looks at
    run(toy, [("seer", Seer())], seeds=range(80), store=store, evaluations=25, executor=here)
    submission = make_submission(tmp_path / "s.sqlite", tmp_path / f"s{SUFFIX}")
    found = verify(submission)
    assert [fault.kind for fault in found.faults] == ["test leakage"]
    assert "best by the test" in found.faults[0].what
    assert verify(submission, rerun=1).notes == (
        "seer was not run again: it is not installed here.",
    )


def test_a_forged_but_consistent_search_is_found_by_running_again(
    toy: Benchmark, made: Submission, verify: Callable[..., Verification]
) -> None:
    """Evaluations that the method would never have made, with all figures in order."""
    best = int(toy.values("toy_valid_9").argmax())

    def lucky(content: dict[str, Any]) -> None:
        for trial in content["trials"]:
            if trial["epochs"][0] != 9 or len(trial["signals"][0]) > 1:
                continue
            if trial["signals"][0][0] != toy.values("toy_valid_9")[trial["architectures"][0]]:
                continue
            trial["architectures"], trial["epochs"] = [best], [9]
            trial["signals"] = [[toy.query(best, "toy_valid_9")]]
            trial["recommended"] = [-1]
            trial["reports"] = [toy.query(best, "toy_test_9")]

    forged = altered(made, lucky)
    assert verify(forged).accepted
    assert "rerun" in {fault.kind for fault in verify(forged, rerun=16).faults}


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "pack"), [(SUFFIX, gzip.compress), (DENSE, lzma.compress)])
def test_altered_and_damaged_files_are_refused(
    made: Submission, tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"a{suffix}"
    write_submission(made, path)
    assert read_submission(path) == made
    whole = path.read_bytes()
    content = json.loads((gzip if suffix == SUFFIX else lzma).decompress(whole))
    content["author"] = "B. Nobody"
    for damaged, sentence in (
        (pack(json.dumps(content).encode()), "altered after"),
        (whole[:-100], "damaged"),
        (b"", "damaged"),
        (b"nothing packed", "damaged"),
        (pack(b"[]"), "format"),
        (pack(b"{"), "damaged"),
        (pack(b"[" * 100_000), "damaged"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(SuiteError, match=sentence):
            read_submission(path)
    with pytest.raises(SuiteError, match="There is no submission"):
        read_submission(tmp_path / "none")


@pytest.mark.parametrize("field", ["author", "note"])
@pytest.mark.parametrize("said", ["a\x1b[31m", "x" * 1001, "\u202eabc", "\udcff"])
def test_nothing_is_made_that_would_not_be_read(
    store: Path, tmp_path: Path, field: str, said: str
) -> None:
    path = tmp_path / f"a{SUFFIX}"
    with pytest.raises(SuiteError, match=f"would be refused by whoever reads it .{field} is no"):
        make_submission(store, path, **{field: said})
    assert not path.exists()


def test_what_is_made_unpacks_to_no_more_than_is_read(made: Submission, tmp_path: Path) -> None:
    """Trials that are all the same pack to so little that the file looks like a bomb."""
    first = made.trials[0]
    trials = [first.model_copy(update={"seed": seed}) for seed in range(20_000)]
    path = tmp_path / f"a{DENSE}"
    with pytest.raises(SuiteError, match="too much for its size: make several"):
        write_submission(made.model_copy(update={"trials": trials}), path)
    assert not path.exists()


def test_what_unpacking_may_take_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / f"a{DENSE}"
    path.write_bytes(lzma.compress(b" " * (1 << 23)))  # two thousandths of what it unpacks to
    with pytest.raises(SuiteError, match="too much for its size"):
        read_submission(path)
    greedy = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 28}]  # bytes to be set aside first
    path.write_bytes(lzma.compress(b"{}", filters=greedy))
    with pytest.raises(SuiteError, match="damaged"):
        read_submission(path)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    place=st.integers(0, 10_000),
    value=st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.lists(st.integers())),
)
def test_any_change_of_a_trial_is_refused_or_named(
    made: Submission, toy: Benchmark, tmp_path: Path, place: int, value: object
) -> None:
    """Whatever stands in place of anything, reading or verifying says so, and nothing breaks."""
    content = json.loads(json.dumps(made.model_dump()))
    trial = content["trials"][place % len(content["trials"])]
    names = sorted(name for name in trial if name not in ("wall_seconds", "seed", "environment"))
    name = names[place % len(names)]
    if trial[name] == value:
        return
    trial[name] = value
    try:
        submission = Submission.model_validate(content)
    except ValueError:
        return
    assert not verify_submission(submission, load=lambda _: toy).accepted


# -- merging ---------------------------------------------------------------------------------------


def test_merging_gives_back_the_leaderboard_whatever_the_order(
    toy: Benchmark, store: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    make_submission(store, folder / f"one{SUFFIX}", methods=["random"])
    make_submission(store, folder / "sub" / f"two{SUFFIX}", methods=["hyperband", "local-search"])
    make_submission(store, folder / f"same{SUFFIX}", methods=["random"])
    (folder / f"broken{SUFFIX}").write_bytes(b"no")
    merge = merge_submissions(folder, tmp_path / "merged.sqlite", load=lambda _: toy)
    assert merge.accepted == [f"one{SUFFIX}", f"same{SUFFIX}", f"sub/two{SUFFIX}"]
    assert list(merge.rejected) == [f"broken{SUFFIX}"]
    assert merge.trials == 16
    columns = ["task", "method", "seeds", "mean", "iqm", "low", "regret"]
    before = leaderboard(store)[columns].sort_values(["task", "method"], ignore_index=True)
    after = leaderboard(tmp_path / "merged.sqlite")[columns]
    assert after.sort_values(["task", "method"], ignore_index=True).equals(before)


def keep_what_is_used(content: dict[str, Any]) -> None:
    """Leave out tasks and methods of no trial."""
    for kind in ("task", "method"):
        used = {trial[kind] for trial in content["trials"]}
        content[f"{kind}s"] = [row for row in content[f"{kind}s"] if row["key"] in used]


def test_nobody_says_where_anothers_trials_ran(
    toy: Benchmark, made: Submission, tmp_path: Path
) -> None:
    """A rival that comes first claims the key of the victim's environment for one of its own."""

    def elsewhere(content: dict[str, Any]) -> None:
        content["author"] = "A. Before"
        content["environments"][0] |= {"git_revision": "f" * 40, "platform": "a rival's"}
        keys = {(trial["task"], trial["method"]) for trial in content["trials"]}
        content["trials"] = [t for t in content["trials"] if (t["task"], t["method"]) == min(keys)]
        keep_what_is_used(content)

    write_submission(made, tmp_path / f"a{SUFFIX}")
    write_submission(altered(made, elsewhere), tmp_path / f"b{SUFFIX}")
    merge_submissions(tmp_path, tmp_path / "m.sqlite", load=lambda _: toy)
    with ResultStore(tmp_path / "m.sqlite", read_only=True) as store:
        found = {row.key: row.platform for row in store.environments()}
        ran = Counter(found[key] for _, key in store.trial_environments())
    platform = made.environments[0].platform
    assert set(ran) == {platform, "a rival's"}
    assert ran[platform] > ran["a rival's"]
    assert made.environments[0].key in found


def test_submissions_that_contradict_each_other_silence_nobody(
    toy: Benchmark, made: Submission, tmp_path: Path
) -> None:
    best = int(np.argmax(toy.values("toy_valid_9")))

    def lucky(content: dict[str, Any]) -> None:
        trial = content["trials"][place_of(content, "mean")]
        content["trials"] = [trial]
        keep_what_is_used(content)
        trial["architectures"], trial["epochs"], trial["recommended"] = [best], [9], [-1]
        trial["signals"] = [[toy.query(best, "toy_valid_9")]]
        trial["reports"] = [toy.query(best, "toy_test_9")]

    write_submission(made, tmp_path / f"a{SUFFIX}")
    # By the same name, with which anybody may sign: both stand there, told apart and marked.
    write_submission(altered(made, lucky), tmp_path / f"b{SUFFIX}")

    def one_search(content: dict[str, Any]) -> None:  # all seeds of a method on a task
        named = ("task", "method")
        kept = [content["trials"][8][name] for name in named]
        content["trials"] = [t for t in content["trials"] if [t[name] for name in named] == kept]
        keep_what_is_used(content)

    other = altered(made, one_search)
    write_submission(other, tmp_path / f"c{SUFFIX}")
    merge = merge_submissions(tmp_path, tmp_path / "m.sqlite", load=lambda _: toy)
    assert not merge.rejected
    for name in ("a", "b"):
        assert "duplicate seed" in merge.doubts[f"{name}{SUFFIX}"][0]
    labels = set(leaderboard(tmp_path / "m.sqlite")["method"])
    signed = {label for label in labels if re.fullmatch(r"random \(A. Nobody, \w{6}\)", label)}
    assert len(signed) == 2
    assert "random" not in labels

    # By another name, whatever the file is called.
    silencer = altered(made, lucky).model_copy(update={"author": "B. Rival"})
    write_submission(silencer, tmp_path / f"0{SUFFIX}")
    (tmp_path / f"b{SUFFIX}").unlink()
    merge = merge_submissions(tmp_path, tmp_path / "n.sqlite", load=lambda _: toy)
    assert {f"0{SUFFIX}", f"a{SUFFIX}"} <= set(merge.accepted)
    assert not merge.rejected
    for name in ("0", "a"):
        assert "duplicate seed" in merge.doubts[f"{name}{SUFFIX}"][0]
    labels = set(leaderboard(tmp_path / "n.sqlite")["method"])
    assert {"random (A. Nobody)", "random (B. Rival)"} <= labels
    assert "random" not in labels


def test_folders_without_a_sound_submission_are_refused(toy: Benchmark, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="holds no submission"):
        merge_submissions(tmp_path, tmp_path / "m.sqlite")
    (tmp_path / f"a{SUFFIX}").write_bytes(b"no")
    with pytest.raises(SuiteError, match="is sound"):
        merge_submissions(tmp_path, tmp_path / "m.sqlite")
    with pytest.raises(SuiteError, match="no folder"):
        merge_submissions(tmp_path / "none", tmp_path / "m.sqlite")
    assert not (tmp_path / "m.sqlite").exists()


# -- the commands ----------------------------------------------------------------------------------


def test_the_commands_make_verify_and_merge(
    toy: Benchmark,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    nasbench: Command,
) -> None:
    table = tmp_path / "toy.parquet"
    write_benchmark(toy, table)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path / "home"))

    assert nasbench("data", "import", "toy.parquet", "--name", "toy").code == 0
    nasbench("run", "--benchmark", "toy", "--methods", "random", "--seeds", "0-2", "--quiet")
    (tmp_path / "in").mkdir()
    answer = nasbench("submit", "make", f"in/a{SUFFIX}", "--author", "A. Nobody")
    assert "3 trials" in answer.out, answer.err
    answer = nasbench("submit", "verify", f"in/a{SUFFIX}", "--rerun", "2")
    assert (answer.code, answer.err) == (0, "")
    assert "3 trials computed anew, 2 of them run again" in answer.out
    answer = nasbench("leaderboard", "--from", "in", "--format", "csv")
    assert answer.out == nasbench("leaderboard", "--format", "csv").out
    forged = altered(read_submission(tmp_path / "in" / f"a{SUFFIX}"), forge_report)
    write_submission(forged, tmp_path / "in" / f"b{SUFFIX}")
    answer = nasbench("submit", "verify", f"in/b{SUFFIX}")
    assert answer.code == 1
    assert answer.out.startswith("forged: random on toy/toy, seed 0: it claims")
    answer = nasbench("submit", "merge", "in", "--store", "m.sqlite")
    assert f"b{SUFFIX} is rejected: forged" in answer.err
    assert answer.out == "m.sqlite: 3 trials of 1 submission\n"


def test_fewer_than_no_trial_cannot_be_run_again(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"^-1 trials cannot be run again"):
        verify_submission(tmp_path / "none", rerun=-1)
    with pytest.raises(SuiteError, match=r"^-1 trials cannot be run again"):
        merge_submissions(tmp_path / "none", tmp_path / "r.sqlite", rerun=-1)
