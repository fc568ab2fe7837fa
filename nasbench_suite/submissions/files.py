"""The file of a submission: packed JSON with tasks, methods, versions and every evaluation."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import shlex
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nasbench_suite.errors import SuiteError, printable
from nasbench_suite.files.atomic import write_bytes
from nasbench_suite.files.limits import beyond_limits
from nasbench_suite.files.unpacking import need_regular_file
from nasbench_suite.rows import EnvironmentRow, MethodRow, Row, TaskRow, TrialRow
from nasbench_suite.store import ResultStore
from nasbench_suite.submissions.naming import naming_faults
from nasbench_suite.tasks.methods import find_label

FORMAT = 1
SUFFIX = ".nasbench.json.gz"
DENSE = ".nasbench.json.xz"  # half as large, for many trials, and slow to pack
_LARGEST = 1 << 28  # bytes unpacked; a small file that unpacks to more is refused
_RATIO = 400  # times the size of the file; what is packed better says the same over and over
_MEMORY = 1 << 27  # bytes that unpacking may take: what xz asks for stands in the file itself


class Submission(Row):
    """What a submission file holds.

    Attributes:
        nasbench_submission: version of the format.
        author: whom to ask, in their own words.
        note: anything a reader must know.
        tasks: tasks of the trials.
        methods: methods of the trials.
        environments: where they ran.
        trials: every trial.
    """

    nasbench_submission: int = FORMAT
    author: str = ""
    note: str = ""
    tasks: list[TaskRow]
    methods: list[MethodRow]
    environments: list[EnvironmentRow]
    trials: list[TrialRow]


def make_submission(
    store: str | Path,
    path: str | Path,
    *,
    methods: Sequence[str] | None = None,
    author: str = "",
    note: str = "",
) -> Submission:
    """Write the finished trials of a results file as a submission.

    Equal results give equal files.

    Args:
        store: a results file.
        path: the file to write; its name ends in ``.nasbench.json.gz``, or ``.nasbench.json.xz``
            for one half as large that takes longer to write.
        methods: labels of the methods to submit; by default all.
        author: whom to ask.
        note: anything a reader must know.

    Raises:
        SuiteError: the results cannot be read, hold no such method or no finished trial, a method
            has a label that ``verify_submission`` refuses, ``read_submission`` would refuse the
            file, or it cannot be written.
    """
    path = Path(path)
    if not path.name.endswith((SUFFIX, DENSE)):
        raise SuiteError(f"{path} is no name of a submission: end it in {SUFFIX} or {DENSE}.")
    submission = gather_submission(store, methods=methods, author=author, note=note)
    for method in submission.methods:
        for what, label in naming_faults(method):
            command = shlex.join(["nasbench", "store", "rename", str(store), method.label, label])
            mend = f"relabel it by `{command}`" if label else "run it under another name"
            raise SuiteError(
                f"{method.label!r} of {store} would be refused on a board ({what.rstrip('.')}): "
                f"{mend}, or leave it out by --methods."
            )
    if fault := _beyond_reading(submission):
        raise SuiteError(f"{path} would be refused by whoever reads it ({fault}): change that.")
    write_submission(submission, path)
    return submission


def gather_submission(
    store: str | Path,
    *,
    methods: Sequence[str] | None = None,
    author: str = "",
    note: str = "",
) -> Submission:
    """The finished trials of a results file as a submission that is in no file.

    See ``make_submission``.
    """
    with ResultStore(store, read_only=True) as results:
        if methods is not None:
            known = sorted({method.label for method in results.methods()})
            methods = [find_label(f"method of {store}", name, known) for name in methods]
        trials = list(results.finished_trials(methods))
        if not trials:
            raise SuiteError(f"{store} holds no finished trial to submit: run one first.")
        trials.sort(key=lambda trial: (trial.task, trial.method, trial.seed))
        used_tasks = {trial.task for trial in trials}
        used_methods = {trial.method for trial in trials}
        used_environments = {trial.environment for trial in trials}
        return Submission(
            author=author,
            note=note,
            tasks=[task for key, task in sorted(results.tasks().items()) if key in used_tasks],
            methods=[
                method
                for method in sorted(results.methods(), key=lambda method: method.key)
                if method.key in used_methods
            ],
            environments=[
                environment
                for environment in sorted(results.environments(), key=lambda where: where.key)
                if environment.key in used_environments
            ],
            trials=trials,
        )


def write_submission(submission: Submission, path: Path) -> None:
    """Write a submission with its checksum; a file already there is replaced in one step.

    Raises:
        SuiteError: it would unpack to more than is read, or cannot be written.
    """
    content = submission.model_dump()
    body = _canonical(content)
    text = _canonical({"checksum": hashlib.sha256(body).hexdigest(), **content})
    dense = path.name.endswith(DENSE)
    packed = lzma.compress(text) if dense else gzip.compress(text, mtime=0)
    if len(text) > _most_unpacked(len(packed)):
        raise SuiteError(
            f"{path} would unpack to {len(text) >> 20} MiB, too much for its size: make several, "
            f"by --methods."
        )
    write_bytes(path, packed)


def read_submission(path: str | Path) -> Submission:
    """Read a submission. Nothing in it is run, and nothing is believed but its form.

    Raises:
        SuiteError: it is missing, damaged, altered since it was made, or of another format.
    """
    path = Path(path)
    need_regular_file(path, _LARGEST)
    try:
        most = _most_unpacked(path.stat().st_size)
        text = _unpacked(path, most + 1)
    except FileNotFoundError:
        raise SuiteError(f"There is no submission {path}.") from None
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise SuiteError(
            f"{path} is no submission or is damaged ({error}): get it again."
        ) from None
    if len(text) > most:
        raise SuiteError(
            f"{path} unpacks to more than {most >> 20} MiB, too much for its size: split it."
        )
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"{path} is damaged ({error}): get it again.") from None
    if not isinstance(content, dict) or content.get("nasbench_submission") != FORMAT:
        raise SuiteError(
            f"{path} is no submission of format {FORMAT}: make it anew with `nasbench submit make`."
        )
    claimed = content.pop("checksum", None)
    if claimed != hashlib.sha256(_canonical(content)).hexdigest():
        raise SuiteError(
            f"{path} was altered after it was made (its checksum differs): get it again, or make "
            f"it anew with `nasbench submit make`."
        )
    try:
        submission = Submission.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        what = printable(f"{where}: {first['msg']}", 300)
        raise SuiteError(f"{path} is damaged ({what}): make it anew.") from None
    if fault := _beyond_reading(submission):
        raise SuiteError(f"{path} cannot be taken ({fault}): make it anew.")
    return submission


def _most_unpacked(size: int) -> int:
    """How many bytes a file of so many may unpack to."""
    return min(_LARGEST, _RATIO * size + (1 << 20))


def _beyond_reading(submission: Submission) -> str:
    """What in a submission is not taken, in words; empty where nothing is."""
    return beyond_limits(submission.model_dump(), free=("note",)) or _superfluous(submission)


def _unpacked(path: Path, most: int) -> bytes:
    """At most so many bytes of what a file holds."""
    if not path.name.endswith(DENSE):
        with gzip.open(path) as file:
            return file.read(most)
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
    with path.open("rb") as packed:
        return unpacker.decompress(packed.read(_LARGEST), most)


def _superfluous(submission: Submission) -> str:
    """What is there twice, or of no trial, which would only take time to look at."""
    parts = {
        "task": [task.key for task in submission.tasks],
        "method": [method.key for method in submission.methods],
        "environment": [environment.key for environment in submission.environments],
    }
    for kind, rows in parts.items():
        if len(set(rows)) < len(rows):
            return f"a {kind} is there twice"
        if {*rows} - {getattr(trial, kind) for trial in submission.trials}:
            return f"no trial is of one {kind}"
    return ""


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
