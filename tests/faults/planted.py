"""Plants faults that break a promise of the documentation, and sees whether tests notice.

    python tests/faults/planted.py                    # all of them, some minutes
    python tests/faults/planted.py --only streams-merged,latest-of-equals
    python tests/faults/planted.py --journal planted.jsonl   # what was caught is not planted again
    python tests/faults/planted.py --list

Each fault is a change of the source, made in a copy of the tree; the tests that are to notice it
run there. They must pass before (or red would mean nothing) and fail after. For each fault:
``caught``, or ``MISSED``. Exit code 1 if any is missed, or if a fault cannot be planted since the
source, the promise or the test that it names is no longer there: then write it anew.

With ``--journal`` each that is caught is noted at once, and planted again only when the fault,
the file that it changes or a file of its tests is another: a run that was stopped goes on, and one
after a change costs what changed. Other code that a test reaches is not looked at; without a
journal all are planted.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from nasbench_suite.files.journal import Journal

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("nasbench_suite", "search_methods", "hardware", "reports")
COPIED = (*PACKAGES, "tests", "docs", "pyproject.toml", "README.md", "mkdocs.yml")
_SECONDS = 240.0  # a test that hangs longer has noticed something
PASSED, FAILED = 0, 1  # exit codes of pytest; others mean that nothing was tested


@dataclass(frozen=True)
class Fault:
    """A change of the source that some test must notice.

    Attributes:
        name: what it is called.
        page: the page with the promise that it breaks.
        promise: the promise, as it is written there.
        old: source text, which must be in one file once.
        new: what takes its place.
        tests: names of test functions, of which one at least must fail.
    """

    name: str
    page: str
    promise: str
    old: str
    new: str
    tests: tuple[str, ...]


METHODS, README, DATA = "docs/methods.md", "README.md", "docs/data.md"
SCALE, SUBMISSIONS, GATE = "docs/scale.md", "docs/submissions.md", "docs/regression.md"
HARDWARE, ARCHITECTURE = "docs/hardware.md", "docs/architecture.md"
METRICS, VAE = "docs/metrics.md", "docs/graph-vae.md"

FAULTS = (
    # -- what a method sees and is charged ---------------------------------------------------------
    Fault(
        "streams-merged",
        ARCHITECTURE,
        "What a method draws must not depend on the noise of its evaluations",
        "self._noise_rng = np.random.default_rng(noise_stream)",
        "self._noise_rng = self.rng",
        ("test_noise_does_not_disturb_what_a_method_draws",),
    ),
    Fault(
        "streams-alike",
        ARCHITECTURE,
        "a session has one generator for each",
        "self._noise_rng = np.random.default_rng(noise_stream)",
        "self._noise_rng = np.random.default_rng(method_stream)",
        ("test_noise_is_not_the_methods_own_draws",),
    ),
    Fault(
        "fractions-not-rounded",
        METHODS,
        "one evaluation at the full number of epochs, the fraction at fewer",
        "_ROUNDING = 1e-9  # fractions of evaluations must",
        "_ROUNDING = 0.0  # fractions of evaluations must",
        ("test_fractions_add_up_to_the_budget",),
    ),
    Fault(
        "repeated-is-free",
        METHODS,
        "A repeated architecture is charged again",
        "return whole - self._fractions[before] if before else whole\n",
        "return 0.0 if index in self._architectures else whole\n",
        ("test_evaluations_are_answered_and_charged",),
    ),
    Fault(
        "seconds-not-charged",
        METHODS,
        "and the simulated training seconds of the table",
        "self.evaluations, self.seconds = evaluations, seconds\n",
        "self.evaluations = evaluations\n",
        ("test_evaluations_are_answered_and_charged",),
    ),
    Fault(
        "one-over-budget",
        METHODS,
        "An evaluation that the budget does not cover is refused",
        "if evaluations > self._limit + _ROUNDING",
        "if self.evaluations > self._limit + _ROUNDING",
        ("test_evaluations_are_answered_and_charged", "test_a_trial_can_be_left_and_gone_on_with"),
    ),
    Fault(
        "always-the-first-seed",
        METHODS,
        "with one of them, drawn anew at each query, as a real training would",
        "return float(rng.choice(trained))",
        "return float(trained[0])",
        ("test_sampled_noise_answers_with_one_of_the_seeds",),
    ),
    Fault(
        "smaller-is-not-turned",
        METHODS,
        "turned so that larger is better",
        "* self.orientations\n",
        "* 1.0\n",
        ("test_a_minimised_signal_is_turned_round",),
    ),
    Fault(
        "search-on-the-test",
        README,
        "never shows a method a test figure",
        'if benchmark.metric(objective.signal).split == "test":',
        "if False:",
        ("test_bad_tasks_are_refused",),
    ),
    # -- what a search is judged by ----------------------------------------------------------------
    Fault(
        "latest-of-equals",
        METHODS,
        "the earliest of equals",
        "(epochs, score) > (best_epochs, best_score)",
        "(epochs, score) >= (best_epochs, best_score)",
        ("test_of_equal_signals_the_earliest_is_the_incumbent",),
    ),
    Fault(
        "epochs-count-for-nothing",
        METHODS,
        "among those evaluated at the most epochs so far",
        "(epochs, score) > (best_epochs, best_score)",
        "score > best_score",
        ("test_more_epochs_outrank_a_better_signal",),
    ),
    Fault(
        "recommendations-ignored",
        METHODS,
        "The incumbent after each evaluation is what the method recommended last",
        "if recommended >= 0 and (available is None or available[recommended]):",
        "if recommended >= 0 and False:",
        ("test_a_recommendation_outranks_the_best_validation",),
    ),
    Fault(
        "disconnected-on-the-front",
        HARDWARE,
        "but enter no front, neither a search's nor the true one",
        "evaluated & self.eligible[indices] & (levels == most)",
        "evaluated & (levels == most)",
        ("test_scaling_is_by_the_whole_table_and_the_disconnected_enter_no_front",),
    ),
    Fault(
        "equal-points-dominate",
        HARDWARE,
        "Its front is what is non-dominated",
        "keep_weakly=True",
        "keep_weakly=False",
        ("test_nondominated_points_are_those_nothing_dominates",),
    ),
    Fault(
        "bound-of-a-maximised-objective",
        VAE,
        "bound",
        "return self.bound * session.orientations[1]",
        "return -self.bound",
        ("test_a_bound_below_is_kept_where_more_is_better",),
    ),
    Fault(
        "detectable-with-twice-the-blocks",
        METRICS,
        "of `--methods` compared, from the noncentral t distribution",
        "return detectable_shift(gap.error, gap.freedom,",
        "return detectable_shift(gap.error / 2**0.5, gap.freedom,",
        ("test_what_a_comparison_could_detect_is_seen_four_times_in_five",),
    ),
    Fault(
        "holm-without-steps",
        METRICS,
        "the i-th is multiplied by `m - i + 1` and raised to the largest before it",
        "np.minimum(np.maximum.accumulate(raised), 1.0)",
        "np.minimum(raised, 1.0)",
        ("test_holm_is_the_step_down_procedure",),
    ),
    # -- runs: dependable whatever happens ---------------------------------------------------------
    Fault(
        "finished-overwritten",
        README,
        "loses nothing finished and repeats nothing",
        "AND status IN ('failed', ?)",
        "AND status IN ('failed', 'finished', ?)",
        ("test_a_finished_trial_is_never_overwritten",),
    ),
    Fault(
        "finished-repeated",
        README,
        "loses nothing finished and repeats nothing",
        "todo = [seed for seed in seeds if seed not in finished or seed in again]",
        "todo = list(seeds)",
        ("test_what_is_finished_is_not_repeated",),
    ),
    Fault(
        "failed-not-run-again",
        SCALE,
        "is marked failed with the reason, and the others go on",
        "WHERE status = 'finished'\"\n            )",
        '"\n            )',
        ("test_a_failed_trial_runs_again",),
    ),
    Fault(
        "half-a-trial",
        ARCHITECTURE,
        "one transaction a trial",
        'self._connection.execute("ROLLBACK")',
        'self._connection.execute("COMMIT")',
        ("test_a_trial_is_written_whole_or_not_at_all",),
    ),
    Fault(
        "threads-in-workers",
        ARCHITECTURE,
        "each with one thread for linear algebra",
        "env=os.environ | ONE_THREAD,",
        "env=dict(os.environ),",
        ("test_a_trial_has_one_thread_for_linear_algebra",),
    ),
    Fault(
        "threads-in-this-process",
        ARCHITECTURE,
        "each with one thread for linear algebra",
        "with threadpool_limits(1):\n                outcome = run_job",
        "with threadpool_limits(None):\n                outcome = run_job",
        ("test_a_trial_has_one_thread_for_linear_algebra",),
    ),
    Fault(
        "method-shared-by-trials",
        README,
        "Same seed, same result, whatever the number of processes",
        "Trial(task, copy.deepcopy(method), job.seed)",
        "Trial(task, method, job.seed)",
        ("test_what_a_method_keeps_does_not_reach_the_next_trial",),
    ),
    Fault(
        "seed-counted-by-place",
        README,
        "Same seed, same result",
        "yield Job(number, seed, plan.checkpoint(checkpoints, seed))",
        "yield Job(number, plan.seeds.index(seed), plan.checkpoint(checkpoints, seed))",
        ("test_a_result_belongs_to_its_seed_whatever_ran_before",),
    ),
    Fault(
        "checkpoint-not-read",
        SCALE,
        "if the method writes checkpoints, it goes on from the last",
        "if job.checkpoint.exists():",
        "if False:",
        ("test_an_interrupted_search_goes_on_from_its_checkpoint",),
    ),
    Fault(
        "noise-begins-anew",
        METHODS,
        "A search can be left after any step and gone on with",
        'self._noise_rng.bit_generator.state = state["noise_rng"]\n',
        "pass\n",
        ("test_an_interrupted_search_goes_on_from_its_checkpoint",),
    ),
    Fault(
        "children-survive",
        SCALE,
        "is stopped with everything it began",
        "for kill in (os.killpg, os.kill):",
        "for kill in (os.kill,):",
        ("test_all_that_a_stopped_trial_began_is_killed",),
    ),
    Fault(
        "memory-without-limit",
        SCALE,
        "`--memory-limit` counts the megabytes that a trial may allocate",
        "limit_memory(greeting.megabytes)",
        "pass",
        ("test_a_trial_in_trouble_fails_alone",),
    ),
    Fault(
        "lost-and-not-begun-again",
        SCALE,
        "begins again, `--retries` times",
        "for _ in range(self._limits.retries + 1):",
        "for _ in range(1):",
        ("test_what_can_be_borne_changes_nothing",),
    ),
    Fault(
        "another-table-the-same-task",
        ARCHITECTURE,
        "An altered table makes another task",
        '"checksum": self.benchmark.checksum,\n            "dataset"',
        '"dataset"',
        ("test_key_depends_on_figures_and_budget",),
    ),
    Fault(
        "bad-input-exits-with-1",
        GATE,
        "too few seeds to tell (the number needed is named), or bad input",
        'print(f"nasbench: {printable(str(error))}", file=sys.stderr)\n        sys.exit(2)',
        'print(f"nasbench: {printable(str(error))}", file=sys.stderr)\n        sys.exit(1)',
        ("test_bad_arguments_get_one_sentence_and_exit_code_2",),
    ),
    # -- files of others ---------------------------------------------------------------------------
    Fault(
        "pickles-run",
        DATA,
        "refuses, by name, anything that could run code",
        "        found = _stand_in(module, name, self._path)",
        "        found = super().find_class(module, name)",
        ("test_code_in_an_archive_does_not_run", "test_other_globals_are_refused"),
    ),
    Fault(
        "operations-on-their-own-edges",
        DATA,
        "Graph networks by their code, on PyTorch 2.13 and PyTorch Geometric 2.8 rather than those "
        "of 2020, differ by less than 5e-5 points",
        "            ends = np.take_along_axis(ends, order[..., None], axis=1)\n",
        "",
        ("test_answers_are_those_of_the_authors_code",),
    ),
    Fault(
        "splits-of-other-features",
        DATA,
        "splits at values that a feature cannot have are refused",
        "    _check_splits(trees, folders[0].parent)\n",
        "",
        ("test_what_is_broken_is_said_and_nothing_is_run",),
    ),
    Fault(
        "flipped-bytes-pass",
        DATA,
        "is the file complete and as it was written",
        "same = benchmark.compute_checksum() == written",
        "same = True",
        ("test_every_flipped_byte_is_found", "test_damage_of_a_table_is_found"),
    ),
    Fault(
        "imports-written-in-place",
        DATA,
        "an interrupted import leaves nothing behind",
        'partial = path.with_name(f"{path.name}.{os.getpid()}.partial")',
        "partial = path",
        ("test_an_import_that_dies_leaves_the_table_that_was_there",),
    ),
    Fault(
        "contradicting-rows-taken",
        DATA,
        "missing, repeated and unknown architectures are refused",
        "        if not same.all():\n            row = int(np.argmin(same))",
        "        if False:\n            row = int(np.argmin(same))",
        ("test_bad_tables",),
    ),
    Fault(
        "missing-rows-taken",
        DATA,
        "missing, repeated and unknown architectures are refused",
        "        if len(known) < self.space.size and unexplained:\n",
        "        if len(known) < 0 and unexplained:\n",
        ("test_bad_tables",),
    ),
    Fault(
        "torn-lines-believed",
        HARDWARE,
        "A journal beside it keeps every run: the same command again goes on where it stopped",
        '*lines, last = self.path.read_bytes().split(b"\\n")',
        'lines, last = self.path.read_bytes().split(b"\\n"), b""',
        ("test_a_line_cut_anywhere_is_dropped_and_written_again",),
    ),
    # -- submissions -------------------------------------------------------------------------------
    Fault(
        "five-percent-over-budget",
        SUBMISSIONS,
        "the evaluations cost more than the task allows",
        "spent[unit] > limit + ROUNDING * max(1.0, limit)",
        "spent[unit] > 1.05 * limit",
        ("test_one_evaluation_over_the_budget_is_named",),
    ),
    Fault(
        "submission-checksum-ignored",
        SUBMISSIONS,
        "It is gzipped JSON with a checksum",
        "if claimed != hashlib.sha256(_canonical(content)).hexdigest():",
        "if False:",
        ("test_altered_and_damaged_files_are_refused",),
    ),
    Fault(
        "signals-believed",
        SUBMISSIONS,
        "an accuracy, signal, optimum or noise floor that is not the table's",
        "bad = chosen & ~_answers(task, name, architectures, told, record.strings is not None)",
        "bad = chosen & (architectures < 0)",
        ("test_every_forgery_is_named",),
    ),
    Fault(
        "optimum-believed",
        SUBMISSIONS,
        "an accuracy, signal, optimum or noise floor that is not the table's",
        "if not _same(value, claimed[name]):",
        'if name != "optimum" and not _same(value, claimed[name]):',
        ("test_every_forgery_is_named",),
    ),
    Fault(
        "duplicates-believed",
        SUBMISSIONS,
        "a task, method and seed that is there twice",
        "        if count > 1:\n            where = named",
        "        if count > 2:\n            where = named",
        ("test_every_forgery_is_named",),
    ),
    Fault(
        "rerun-looks-away",
        SUBMISSIONS,
        "run again here, the search evaluates something else",
        "        if _goes_as_claimed(search, results[place].record):",
        "        if True:",
        ("test_a_forged_but_consistent_search_is_found_by_running_again",),
    ),
    # -- damage and deceit -------------------------------------------------------------------------
    Fault(
        "columns-not-compared",
        SCALE,
        "what is read is compared with its checksum",
        "    if digest != _digest(column):",
        "    if False:",
        ("test_damage_of_a_table_is_found",),
    ),
    Fault(
        "rows-not-compared",
        SCALE,
        "Every row has a seal",
        "wrong = (written != 0) & (found != written)  # others",
        "wrong = written != written  # others",
        ("test_every_change_is_named",),
    ),
    Fault(
        "lost-trials-unnoticed",
        SCALE,
        "and the trials a count",
        "if (count, _sum(frame)) != written:",
        "if False:",
        ("test_every_change_is_named",),
    ),
    Fault(
        "methods-share-a-process",
        ARCHITECTURE,
        "A method has a process of its own",
        "if self.holds is not None and self.holds is not packed:\n            self._end()",
        "if self.holds is not None and self.holds is not packed:\n            self.holds = None",
        ("test_a_vandal_changes_no_other_figure",),
    ),
    Fault(
        "what-is-left-is-believed",
        ARCHITECTURE,
        "held against the task by the process that stores it",
        "outcome = settle(plan.task, job.seed, outcome)",
        "pass",
        ("test_whatever_a_method_does_it_fails_alone",),
    ),
    Fault(
        "codes-mixed",
        ARCHITECTURE,
        "trials of several codes are not one row without a word",
        "if todo and not keep:",
        "if False:",
        ("test_trials_of_other_code_are_not_mixed_unless_it_is_said",),
    ),
    Fault(
        "seeds-chosen",
        SUBMISSIONS,
        "seeds that are not all of 0 to n-1",
        "in seed_gaps(submission.trials)",
        "in ()",
        ("test_the_best_of_many_seeds_are_not_all_seeds",),
    ),
    Fault(
        "copies-believed",
        SUBMISSIONS,
        "a trial that evaluates what one with another seed does, in its order",
        "        (faults if certain else doubts).append(copied)",
        "        pass",
        ("test_a_trial_copied_to_other_seeds_is_named",),
    ),
    Fault(
        "tables-by-path",
        SUBMISSIONS,
        "never a file that a submission names",
        "    if name not in known:\n        raise SuiteError(\n",
        "    if False:\n        raise SuiteError(\n",
        ("test_a_submission_cannot_bring_its_own_table",),
    ),
    # -- the gate ----------------------------------------------------------------------------------
    Fault(
        "mean-instead-of-interval",
        GATE,
        "It passes by evidence, not for want of it",
        "    if low > -margin:\n",
        "    if difference > -margin:\n",
        ("test_a_loss_of_the_margin_passes_with_the_stated_chance",),
    ),
    Fault(
        "failed-trials-pass",
        GATE,
        "the mean is significantly lower (all comparisons together), or a trial failed",
        'return "worse" if self.test is None else self.test.verdict',
        'return "no worse" if self.test is None else self.test.verdict',
        ("test_a_failing_method_is_a_regression",),
    ),
    Fault(
        "power-of-each-alone",
        GATE,
        "Several comparisons together keep both",
        "each = 1.0 - (1.0 - power) / len(entries)",
        "each = power",
        ("test_the_power_is_that_of_all_comparisons",),
    ),
    # -- reports -----------------------------------------------------------------------------------
    Fault(
        "markup-in-reports",
        SCALE,
        "What is shown in a report is escaped",
        "autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks",
        "autoescape=False, undefined=jinja2.StrictUndefined, trim_blocks",
        ("test_names_are_text_and_never_markup",),
    ),
)


class UnplantableError(Exception):
    """A fault whose source, promise or test is not there."""


def flat(text: str) -> str:
    """Text without emphasis and line ends, as promises are looked for."""
    return " ".join(text.replace("*", "").split())


def sources(root: Path) -> Iterator[Path]:
    """The Python files of the packages."""
    for package in PACKAGES:
        yield from sorted((root / package).rglob("*.py"))


def place(fault: Fault, root: Path = ROOT) -> Path:
    """The file that holds the source text, once.

    Raises:
        UnplantableError: none does, or several do.
    """
    found = [path for path in sources(root) for _ in range(path.read_text().count(fault.old))]
    if len(found) != 1:
        raise UnplantableError(f"its source text is there {len(found)} times: {fault.old!r}")
    return found[0]


def check_promise(fault: Fault, root: Path = ROOT) -> None:
    """See that the documentation makes the promise.

    Raises:
        UnplantableError: it does not.
    """
    if flat(fault.promise) not in flat((root / fault.page).read_text()):
        raise UnplantableError(f"{fault.page} does not promise: {fault.promise}")


def nodes(fault: Fault, root: Path = ROOT) -> list[str]:
    """The tests as pytest wants them.

    Raises:
        UnplantableError: one is not there, or in several files.
    """
    found = []
    for name in fault.tests:
        files = [
            path
            for path in sorted((root / "tests").rglob("test_*.py"))
            if re.search(rf"^def {name}\(", path.read_text(), flags=re.MULTILINE)
        ]
        if len(files) != 1:
            raise UnplantableError(f"its test {name} is there {len(files)} times")
        found.append(f"{files[0].relative_to(root)}::{name}")
    return found


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the tree, as git would have it."""
    with tempfile.TemporaryDirectory(prefix="planted-") as name:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *COPIED],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for line in listed.stdout.splitlines():
            if (ROOT / line).is_file():
                target = Path(name, line)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / line, target)
        yield Path(name)


def run_tests(root: Path, chosen: list[str]) -> tuple[int, str]:
    """Run tests of a copy against the packages of that copy; exit code and output."""
    settings = {
        **os.environ,
        "PYTHONPATH": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONSAFEPATH": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *chosen]
    with subprocess.Popen(
        command,
        cwd=root,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            output, _ = running.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            return FAILED, "hangs"
    return running.returncode, output


def fingerprint(fault: Fault) -> str:
    """Of the fault, the file that it changes and those of its tests; empty if one is missing."""
    try:
        tests = nodes(fault)
        paths = [place(fault), *(ROOT / node.partition("::")[0] for node in tests)]
    except UnplantableError:
        return ""
    text = "\0".join([repr(fault), *tests, *(path.read_text() for path in paths)])
    return hashlib.sha256(text.encode()).hexdigest()


def plant(fault: Fault) -> str:
    """``caught``, or ``MISSED`` and why."""
    begin = time.perf_counter()
    try:
        check_promise(fault)
        chosen = nodes(fault)
        with copied() as root:
            path = place(fault, root)
            path.write_text(path.read_text().replace(fault.old, fault.new))
            code, output = run_tests(root, chosen)
    except UnplantableError as reason:
        return f"MISSED: cannot be planted: {reason}"
    if code == FAILED:
        return f"caught ({time.perf_counter() - begin:.0f} s)"
    if code == PASSED:
        return f"MISSED: {', '.join(fault.tests)} pass"
    return f"MISSED: pytest ended with {code}: {output.strip().splitlines()[-1:]}"


class Named(Protocol):
    """What has a name to ask for it by."""

    @property
    def name(self) -> str:
        """Its name."""


F = TypeVar("F", bound=Named)


def asked_for(only: str | None, faults: Sequence[F], parser: argparse.ArgumentParser) -> list[F]:
    """The faults of a list that ``--only`` names, or all; the parser refuses other names."""
    known = [fault.name for fault in faults]
    names = only.split(",") if only else known
    unknown = set(names) - set(known)
    if unknown:
        parser.error(f"there is no fault {', '.join(sorted(unknown))}: see --list")
    return [fault for fault in faults if fault.name in names]


def main() -> int:
    """Plant the faults that are asked for; 1 if any is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="these alone, as name,name")
    parser.add_argument("--list", action="store_true", help="list the faults and plant none")
    parser.add_argument("--journal", type=Path, help="note what is caught, and leave it out then")
    parser.add_argument("--jobs", type=int, default=2, help="so many at a time")
    options = parser.parse_args()
    chosen = asked_for(options.only, FAULTS, parser)
    if options.list:
        for fault in chosen:
            print(f"{fault.name:34}  {fault.page:22}  {fault.promise}")
        return 0
    prints = {fault.name: fingerprint(fault) for fault in chosen}
    journal = Journal(options.journal) if options.journal else None
    known = {entry["fault"]: entry["of"] for entry in journal.entries()} if journal else {}
    todo = [fault for fault in chosen if known.get(fault.name) != prints[fault.name]]
    with copied() as root:
        tests = sorted({node for fault in todo if prints[fault.name] for node in nodes(fault)})
        code, output = run_tests(root, tests) if tests else (PASSED, "")
        if code != PASSED:
            print(f"The tests do not pass as things are:\n{output[-3000:]}")
            return 1
    missed = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for fault, answer in zip(todo, pool.map(plant, todo), strict=True):
            print(f"{fault.name:34}  {answer}", flush=True)
            if not answer.startswith("caught"):
                missed += 1
            elif journal:
                with journal.appending() as append:
                    append({"fault": fault.name, "of": prints[fault.name]})
    print(f"{len(chosen) - missed} of {len(chosen)} planted faults caught, {len(todo)} of them now")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
