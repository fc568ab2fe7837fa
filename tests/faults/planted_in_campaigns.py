"""Plants faults that the campaigns beside this file must see: each must turn one of them red.

    python tests/faults/planted_in_campaigns.py [--only NAME,...] [--journal FILE] [--list]

As ``planted.py`` does for the tests: each fault is a change of the source, made in a copy of the
tree, where a campaign runs with small numbers. It must end with exit code 0 before (or red would
mean nothing) and 1 after. Exit code 1 if any fault is missed or cannot be planted. With a journal,
the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from planted import UnplantableError, asked_for, copied, place

from nasbench_suite.files.journal import Journal

_SECONDS = 900.0


@dataclass(frozen=True)
class Fault:
    """A change of the source, and the campaign that must see it.

    Attributes:
        name: of the fault.
        old: source text that is there once, in one file of the packages.
        new: what stands there instead.
        campaign: the command, below ``tests/faults``.
    """

    name: str
    old: str
    new: str
    campaign: tuple[str, ...]


_KILLED = ("campaign.py", "--only", "killed_at_each_statement", "--stride", "3")
_TABLE = ("damage.py", "--only", "bit of a benchmark", "--flips", "60")
_SUBMISSIONS = ("damage.py", "--only", "fields of a submission", "--submissions", "400")

FAULTS = (
    Fault(
        "finished-trials-repeated",
        "todo = [seed for seed in seeds if seed not in finished or seed in again]",
        "todo = list(seeds)",
        _KILLED,
    ),
    Fault(
        "a-commit-split-in-two",
        "            if trial is None:\n                return\n            sealed = {table",
        "            if trial is None:\n                return\n"
        '            self._connection.execute("COMMIT")\n'
        '            self._connection.execute("BEGIN IMMEDIATE")\n'
        "            sealed = {table",
        _KILLED,
    ),
    Fault(
        "failures-count-as-finished",
        "WHERE status = 'finished'\"\n            )\n            for task_id",
        '"\n            )\n            for task_id',
        ("campaign.py", "--only", "kill_workers_once"),
    ),
    Fault(
        "unreadable-columns-are-50",
        "                self._loaded[name] = self._compare(name, self._read(name))",
        "                try:\n"
        "                    self._loaded[name] = self._compare(name, self._read(name))\n"
        "                except SuiteError:\n"
        "                    self._loaded[name] = np.full(self.space.size, 50.0)",
        _TABLE,
    ),
    Fault(
        "unreadable-columns-are-50-in-a-run",
        "                self._loaded[name] = self._compare(name, self._read(name))",
        "                try:\n"
        "                    self._loaded[name] = self._compare(name, self._read(name))\n"
        "                except SuiteError:\n"
        "                    self._loaded[name] = np.full(self.space.size, 50.0)",
        ("campaign.py", "--only", "damaged_table", "--damages", "10"),
    ),
    Fault(
        "submissions-without-limits",
        'beyond_limits(submission.model_dump(), free=("note",)) or ',
        "",
        _SUBMISSIONS,
    ),
    Fault(
        "what-a-field-is-not-caught",
        "_OTHERS_WORD = (\n",
        "_OTHERS_WORD = (ZeroDivisionError,)\n_UNCAUGHT = (\n",
        _SUBMISSIONS,
    ),
    Fault(
        "reports-of-submissions-believed",
        "    if not doubts and not _same(reports, trial.reports):",
        "    if False:",
        _SUBMISSIONS,
    ),
    Fault(
        "rows-of-results-not-compared",
        "        if wrong.any():\n            row = ",
        "        if False:\n            row = ",
        ("damage.py", "--only", "bit of a results file", "--flips", "300"),
    ),
    Fault(
        "journals-not-compared",
        "            if seal is not None and seal != _checksum(entry, first):",
        "            if False:",
        ("damage.py", "--only", "bit of a journal", "--flips", "60"),
    ),
    Fault(
        "baselines-not-compared",
        "    if (version, baseline.checksum) not in ((1, None), (_FORMAT, _checksum(baseline))):",
        "    if False:",
        ("damage.py", "--only", "bit of a baseline", "--flips", "60"),
    ),
    Fault(
        "directions-of-baselines-believed",
        "    _refuse_altered(entry, results)\n    reached",
        "    reached",
        ("damage.py", "--only", "fields of a baseline", "--baselines", "1000"),
    ),
    Fault(
        "two-writers-begin-late",
        'self._connection.execute("BEGIN IMMEDIATE")\n            try:',
        'self._connection.execute("BEGIN")\n            try:',
        ("campaign.py", "--only", "two_runs"),
    ),
    Fault(
        "lost-processes-not-begun-again",
        "for _ in range(self._limits.retries + 1):",
        "for _ in range(1):",
        ("campaign.py", "--only", "kill_workers"),
    ),
    Fault(
        "full-disks-unexplained",
        '        raise SuiteError(f"{_explain(error, path)} ({said})") from error',
        "        raise",
        ("campaign.py", "--only", "full_disk"),
    ),
    Fault(
        "pickles-run",
        "        found = _stand_in(module, name, self._path)",
        "        found = super().find_class(module, name)",
        ("fuzz.py", "--only", "pickle", "--examples", "50"),
    ),
    Fault(
        "deep-baselines-escape",
        "    except (OSError, ValueError, RecursionError) as error:\n"
        '        raise SuiteError(f"{path} is no baseline or is damaged',
        "    except (OSError, ValueError) as error:\n"
        '        raise SuiteError(f"{path} is no baseline or is damaged',
        ("fuzz.py", "--only", "baseline", "--examples", "200"),
    ),
    Fault(
        "archives-never-accepted",
        "    if distinct != len(architectures) or (distinct != space.size and not partial):",
        "    if distinct != len(architectures) or distinct != space.size:",
        ("fuzz.py", "--only", "NATS", "--examples", "20"),
    ),
    Fault(
        "seeds-without-end",
        "def parse_seeds(text: str) -> list[int]:",
        "def parse_seeds(text: str) -> list[int]:\n    while '-' in text: pass\n",
        ("fuzz.py", "--only", "seeds", "--examples", "2", "--seconds", "2"),
    ),
)


def run_campaign(root: Path, campaign: tuple[str, ...]) -> tuple[int, str]:
    """Exit code and output of a campaign of a copy, on the packages of that copy."""
    program, *options = campaign
    settings = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, str(root / "tests" / "faults" / program), *options]
    with tempfile.TemporaryDirectory() as elsewhere:
        answer = subprocess.run(
            command,
            cwd=elsewhere,
            env=settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
        )
    return answer.returncode, answer.stdout


def plant(fault: Fault) -> str:
    """``caught``, or ``MISSED`` and why."""
    begin = time.perf_counter()
    try:
        with copied() as root:
            path = place(fault, root)
            code, output = run_campaign(root, fault.campaign)
            if code:
                return f"MISSED: red as things are: {output[-500:]!r}"
            path.write_text(path.read_text().replace(fault.old, fault.new))
            code, output = run_campaign(root, fault.campaign)
    except UnplantableError as reason:
        return f"MISSED: cannot be planted: {reason}"
    except subprocess.TimeoutExpired:
        return f"MISSED: {' '.join(fault.campaign)} takes more than {_SECONDS:g} s"
    if code != 1:
        return f"MISSED: {' '.join(fault.campaign)} ends with {code}: {output[-500:]!r}"
    return f"caught ({time.perf_counter() - begin:.0f} s)"


def main() -> int:
    """Plant the faults that are asked for; 1 if any is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", help="these alone, as name,name")
    parser.add_argument("--journal", type=Path, help="go on with what is noted there")
    parser.add_argument("--list", action="store_true", help="list the faults and plant none")
    options = parser.parse_args()
    chosen = asked_for(options.only, FAULTS, parser)
    if options.list:
        for fault in chosen:
            print(f"{fault.name:34}  {' '.join(fault.campaign)}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        kept = Journal(options.journal or Path(folder) / "planted.jsonl")
        answers = {entry["name"]: entry["answer"] for entry in kept.entries()}
        for fault in chosen:
            if fault.name not in answers or answers[fault.name].startswith("MISSED"):
                answers[fault.name] = plant(fault)
                with kept.appending() as note:
                    note({"name": fault.name, "answer": answers[fault.name]})
            print(f"{fault.name:34}  {answers[fault.name]}", flush=True)
    missed = [fault for fault in chosen if not answers[fault.name].startswith("caught")]
    print(f"{len(chosen) - len(missed)} of {len(chosen)} planted faults caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
