"""Submissions that mean to deceive: their figures are the table's, and still they are not sound."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Command

from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.benchmarks.table_file import write_benchmark
from nasbench_suite.commands.submit import report_merge
from nasbench_suite.errors import SuiteError
from nasbench_suite.rows import task_row
from nasbench_suite.runner import run
from nasbench_suite.store.maintenance import rename_method
from nasbench_suite.submissions import (
    Submission,
    Verification,
    make_submission,
    merge_submissions,
    read_submission,
    verify_submission,
)
from nasbench_suite.submissions.files import SUFFIX, write_submission
from nasbench_suite.tasks import make_task
from nasbench_suite.tasks.methods import make_method


@pytest.fixture(scope="module")
def honest(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Submission:
    folder = tmp_path_factory.mktemp("honest")
    store = folder / "r.sqlite"
    run(toy, "random", seeds=range(30), store=store, evaluations=12, crossfit=False)
    return make_submission(store, folder / f"a{SUFFIX}", author="A. Nobody")


@pytest.fixture
def verify(toy: Benchmark) -> Callable[..., Verification]:
    return lambda submission, **settings: verify_submission(
        submission, load=lambda _: toy, **settings
    )


def altered(honest: Submission, change: Callable[[dict[str, Any]], Any]) -> Submission:
    content = json.loads(json.dumps(honest.model_dump()))
    change(content)
    return Submission.model_validate(content)


def kinds(found: Verification) -> set[str]:
    return {fault.kind for fault in found.faults}


def test_an_honest_submission_is_sound_and_says_how_far(
    honest: Submission, verify: Callable[..., Verification]
) -> None:
    found = verify(honest)
    assert (found.faults, found.doubts, found.level) == ((), (), "table")
    assert verify(honest, rerun=3).level == "rerun"


def test_the_best_of_many_seeds_are_not_all_seeds(
    honest: Submission, verify: Callable[..., Verification]
) -> None:
    best = altered(
        honest,
        lambda content: content.update(
            trials=sorted(content["trials"], key=lambda trial: -trial["reports"][-1])[:6]
        ),
    )
    for rerun in 0, 6:
        (fault,) = verify(best, rerun=rerun).faults
        assert fault.kind == "seeds"
        assert "it has 6 seeds up to" in fault.what
        assert "lacks 0-" in fault.what or "lacks 1" in fault.what or "lacks 0," in fault.what


def test_seeds_numbered_anew_are_found_by_running_again(
    honest: Submission, verify: Callable[..., Verification]
) -> None:
    def renumber(content: dict[str, Any]) -> None:
        chosen = sorted(content["trials"], key=lambda trial: -trial["reports"][-1])[:6]
        content["trials"] = [{**trial, "seed": seed} for seed, trial in enumerate(chosen)]

    assert "rerun" in kinds(verify(altered(honest, renumber), rerun=6))


def test_running_again_goes_no_further_than_what_is_claimed(
    toy: Benchmark, honest: Submission, verify: Callable[..., Verification]
) -> None:
    """A submission names its budget itself: one without end would never be verified."""

    def endless(content: dict[str, Any]) -> None:
        task = task_row(make_task(toy, evaluations=1e15, crossfit=False)).model_dump()
        content["tasks"] = [task]
        for trial in content["trials"]:
            trial["task"] = task["key"]

    assert "rerun" in kinds(verify(altered(honest, endless), rerun=2))


def test_a_trial_copied_to_other_seeds_is_named(
    honest: Submission, verify: Callable[..., Verification]
) -> None:
    def copy(content: dict[str, Any]) -> None:
        first = content["trials"][0]
        content["trials"] = [{**first, "seed": seed} for seed in range(20)]

    found = verify(altered(honest, copy))
    assert kinds(found) == {"copied"}
    assert len(found.faults) == 19


def test_methods_that_begin_alike_are_in_doubt_and_not_refused(
    toy: Benchmark, tmp_path: Path, verify: Callable[..., Verification]
) -> None:
    """With one seed evolution draws what random search does until its population is full."""
    store = tmp_path / "r.sqlite"
    run(toy, "random,regularized-evolution", seeds=3, store=store, evaluations=8)
    found = verify(make_submission(store, tmp_path / f"a{SUFFIX}"))
    assert (found.faults, found.level) == ((), "table")
    assert [doubt.kind for doubt in found.doubts] == ["copied"] * 3


def test_an_invented_oracle_is_in_doubt(
    toy: Benchmark, honest: Submission, verify: Callable[..., Verification]
) -> None:
    """Trials that begin at the best of the table, with regret zero and every figure in order."""
    order = np.argsort(-toy.values("toy_test_9"))

    def foresee(content: dict[str, Any]) -> None:
        for seed, trial in enumerate(content["trials"]):
            found = [int(index) for index in [order[0], *order[seed + 1 : seed + 12]]]
            trial["architectures"], trial["recommended"] = found, [found[0]] * len(found)
            trial["signals"] = [[toy.query(index, "toy_valid_9")] for index in found]
            trial["epochs"] = [9] * len(found)
            trial["reports"] = [toy.query(found[0], "toy_test_9")]

    found = verify(altered(honest, foresee))
    assert "foresight" in {doubt.kind for doubt in found.doubts} or not found.accepted
    assert found.level != "rerun"
    assert "rerun" in kinds(verify(altered(honest, foresee), rerun=2))


def test_a_submission_cannot_bring_its_own_table(
    toy: Benchmark, honest: Submission, tmp_path: Path
) -> None:
    table = tmp_path / "own.parquet"
    write_benchmark(toy, table)
    for name in (str(table), "../own.parquet", "own", "/etc/passwd"):

        def bring(content: dict[str, Any], name: str = name) -> None:
            content["tasks"][0]["config"]["benchmark"] = name

        with pytest.raises(SuiteError, match="Unknown benchmark"):
            verify_submission(altered(honest, bring))


def test_a_file_without_trials_is_not_sound(
    honest: Submission, verify: Callable[..., Verification]
) -> None:
    empty = altered(honest, lambda content: content.update(trials=[]))
    assert kinds(verify(empty)) == {"record"}


def test_another_label_than_the_methods_own_is_named(
    honest: Submission, verify: Callable[..., Verification]
) -> None:
    def rename(content: dict[str, Any], label: str) -> None:
        content["methods"][0]["label"] = label

    for label in ("mine", "random (better)", "regularized-evolution"):
        found = verify(altered(honest, lambda content, label=label: rename(content, label)))
        assert kinds(found) == {"method"}


@pytest.mark.parametrize("label", ["mine (A. Nobody)", "mine ", " mine", "our mine", "mine[a=1"])
@pytest.mark.parametrize("name", ["mine", "random"])
def test_a_label_that_would_be_refused_is_not_written_and_how_to_mend_it_is_told(
    toy: Benchmark,
    verify: Callable[..., Verification],
    nasbench: Command,
    tmp_path: Path,
    name: str,
    label: str,
) -> None:
    store, label = tmp_path / "r.sqlite", label.replace("mine", name)
    run(toy, [(name, make_method("random"))], seeds=2, store=store, evaluations=5)
    rename_method(store, name, label)
    assert kinds(verify(store)) == {"method"}
    ended = nasbench("submit", "make", tmp_path / f"a{SUFFIX}", "--store", store)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert not (tmp_path / f"a{SUFFIX}").exists()
    _, *words = shlex.split(ended.err.split("`")[1])
    assert nasbench(*words).code == 0
    assert verify(make_submission(store, tmp_path / f"a{SUFFIX}")).accepted


def test_a_name_with_a_parenthesis_is_not_written(toy: Benchmark, tmp_path: Path) -> None:
    named = [("mine (2)", make_method("random")), ("mine", make_method("local-search"))]
    run(toy, named, seeds=2, store=tmp_path / "r.sqlite", evaluations=5)
    path = tmp_path / f"a{SUFFIX}"
    with pytest.raises(SuiteError, match=r"parenthesis.*: run it under another name, or leave it"):
        make_submission(tmp_path / "r.sqlite", path)
    assert not path.exists()
    make_submission(tmp_path / "r.sqlite", path, methods=["mine"])


def test_a_name_of_here_with_another_class_or_settings_is_in_doubt(
    honest: Submission, verify: Callable[..., Verification]
) -> None:
    """It may be another version's; a board shows its key beside it where both are there."""

    def pose(content: dict[str, Any]) -> None:
        content["methods"][0]["key"] = "e" * 16
        for trial in content["trials"]:
            trial["method"] = "e" * 16

    found = verify(altered(honest, pose))
    assert found.accepted
    assert [doubt.kind for doubt in found.doubts] == ["method"]


def test_searches_under_another_methods_name_mark_both_files(
    toy: Benchmark, honest: Submission, tmp_path: Path
) -> None:
    def claim(content: dict[str, Any]) -> None:
        content["author"] = "P. Lagiarist"
        content["methods"][0].update(key="f" * 16, name="mine", label="mine")
        for trial in content["trials"]:
            trial["method"] = "f" * 16

    write_submission(honest, tmp_path / f"a{SUFFIX}")
    write_submission(altered(honest, claim), tmp_path / f"b{SUFFIX}")
    merge = merge_submissions(tmp_path, tmp_path / "m.sqlite", load=lambda _: toy)
    assert len(merge.accepted) == 2
    for name in merge.accepted:
        assert merge.doubts[name][0].startswith("copied: ")


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["trials"][0].update(seed=2**63),
        lambda content: content["trials"][0].update(seed=-1),
        lambda content: content["trials"][0].update(architectures=[2**40] * 12),
        lambda content: content["trials"][0].update(signals=[[]] * 12),
        lambda content: content["methods"][0].update(label="x" * 5000),
        lambda content: content["methods"][0].update(label="half \ud800"),
        lambda content: content["methods"][0].update(label="\x1b[2Jmine"),
        lambda content: content["methods"][0].update(label="random\u202e"),
        lambda content: content["tasks"][0]["config"].update(evaluations=1e999),
        lambda content: content["tasks"][0]["config"].update(deep=json.loads("[" * 50 + "]" * 50)),
        lambda content: content["tasks"][0]["config"].update(objectives=7),
        lambda content: content["environments"][0]["packages"].update(numpy="y" * 10**6),
        lambda content: content.update(author="a\x1b]0;b"),
        lambda content: content.update(author="A. Nobody\nsound: figures by a rerun"),
        lambda content: content["methods"][0].update(label="random "),
        lambda content: content["trials"][0].update(wall_seconds=-1.0),
        lambda content: content["trials"][0].update(
            {key: [] for key in ("architectures", "epochs", "signals", "recommended", "reports")}
        ),
        lambda content: content["tasks"][0]["config"].update(
            objectives=content["tasks"][0]["config"]["objectives"] * 1000
        ),
        lambda content: content["tasks"].extend(content["tasks"] * 1000),
        lambda content: content["tasks"].append({**content["tasks"][0], "key": "another"}),
        lambda content: content["methods"].append({**content["methods"][0], "label": "better"}),
        lambda content: content["methods"].append({**content["methods"][0], "key": "unused"}),
        lambda content: content["environments"].append(
            {**content["environments"][0], "key": "unused"}
        ),
        lambda content: content["methods"][0].update(
            name="random (of 2 codes)", label="random (of 2 codes)"
        ),
        lambda content: content["tasks"][0]["config"].update(more=[0] * 100_000),
    ],
)
def test_a_bad_field_is_that_files_own(
    toy: Benchmark, honest: Submission, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    """One file that cannot be taken takes none of the others from the board."""
    content = json.loads(json.dumps(honest.model_dump()))
    change(content)
    bad = Submission.model_construct(**content)
    write_submission(honest, tmp_path / f"b{SUFFIX}")
    write_raw(bad, content, tmp_path / f"a{SUFFIX}")
    merge = merge_submissions(tmp_path, tmp_path / "m.sqlite", load=lambda _: toy)
    assert merge.accepted == [f"b{SUFFIX}"]
    (reasons,) = merge.rejected.values()
    assert reasons[0].isprintable()
    assert len(reasons[0]) < 1000
    alone = verified(tmp_path / f"a{SUFFIX}", toy)
    assert alone.isprintable()


def verified(path: Path, benchmark: Benchmark) -> str:
    """Why a file is not sound, in a sentence or by its first fault; no other error."""
    try:
        return str(verify_submission(path, load=lambda _: benchmark).faults[0])
    except SuiteError as error:
        return str(error)


def write_raw(bad: Submission, content: dict[str, Any], path: Path) -> None:
    """As ``write_submission``, of content that no model checks."""
    vars(bad).update(content)
    object.__setattr__(bad, "model_dump", lambda: content)
    write_submission(bad, path)


def test_a_file_whose_name_steers_is_named_in_one_line(
    toy: Benchmark, honest: Submission, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    late = altered(honest, lambda content: content["trials"][0].update(seed=31))
    names = (f"a\x1b[2J\nb is confirmed by: rerun{SUFFIX}", f"c{SUFFIX}")
    write_submission(late, tmp_path / names[0])
    write_submission(honest, tmp_path / names[1])
    report_merge(merge_submissions(tmp_path, tmp_path / "m.sqlite", load=lambda _: toy))
    rejected, confirmed = capsys.readouterr().err.splitlines()
    assert rejected.startswith("a\\x1b[2J\\nb is confirmed by: rerun")
    assert confirmed.startswith("c.")


def test_a_file_whose_name_steers_is_named_in_one_line_in_doubts_of_others(
    toy: Benchmark, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Searches that begin alike, under two methods' names in two files."""
    store, folder = tmp_path / "r.sqlite", tmp_path / "submitted"
    run(toy, "random,regularized-evolution", seeds=3, store=store, evaluations=8)
    folder.mkdir()
    make_submission(store, folder / f"c{SUFFIX}", methods=["random"])
    steering = folder / f"a\x1b[2J\nb is confirmed by: rerun{SUFFIX}"
    make_submission(store, steering, methods=["regularized-evolution"])
    merge = merge_submissions(folder, tmp_path / "m.sqlite", load=lambda _: toy)
    assert "copied: a\\x1b[2J\\nb is confirmed" in merge.doubts[f"c{SUFFIX}"][0]
    report_merge(merge)
    assert [line[0] for line in capsys.readouterr().err.splitlines()] == ["a", "c"]


def test_a_small_file_cannot_unpack_to_a_large_one(tmp_path: Path) -> None:
    import gzip

    bomb = tmp_path / f"a{SUFFIX}"
    bomb.write_bytes(gzip.compress(b" " * (100 << 20)))
    with pytest.raises(SuiteError, match="too much for its size"):
        read_submission(bomb)


def test_what_differs_by_versions_is_a_category_of_its_own(
    honest: Submission, verify: Callable[..., Verification]
) -> None:
    def other_versions(content: dict[str, Any]) -> None:
        content["environments"][0]["packages"]["scipy"] = "0.0.1"
        first, second = content["trials"][:2]
        first["seed"], second["seed"] = second["seed"], first["seed"]

    found = verify(altered(honest, other_versions), rerun=30)
    assert found.accepted
    assert {doubt.kind for doubt in found.doubts} == {"versions"}
    assert "run again, it differs, and so does scipy 0.0.1 → " in found.doubts[0].what
    assert found.level == "table"
