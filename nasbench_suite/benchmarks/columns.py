"""What the columns of a foreign table are, from their names and from what the user says.

* ``{dataset}_{split}_{epochs}`` is an accuracy, with split ``train``, ``valid``, ``val``,
  ``test``, or NATS-Bench's ``x-valid``, ``ori-test``, ``x-test``, epochs optional, and optionally
  ``acc``, ``error`` or ``loss`` before the epochs; with one of these, before or behind the split,
  or with NATS-Bench's, the data set may be missing, as in ``val_acc``, ``acc_test``, ``x-valid``;
* ``{dataset}_train_time_{epochs}`` or ``time_s`` is a training cost in seconds;
* a last part ``ms``, ``s``, ``mj``, ``mb``, ``fps``, ``flops``, ``params`` and the like names a
  quantity and its unit, see ``quantities``;
* ``name@3`` and ``name_seed3`` are one seed of the metric ``name``, and ``name_mean`` its mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError, field_validator

from nasbench_suite.benchmarks.metric import Provenance, Split
from nasbench_suite.benchmarks.quantities import QUANTITIES, Direction, read_suffix
from nasbench_suite.benchmarks.table import REASONS, Reason
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.files.frames import decoded
from nasbench_suite.files.toml import parse_toml
from nasbench_suite.files.unpacking import need_regular_file
from nasbench_suite.parsing import first_fault

COSTS_KEY = b"nasbench_hardware"
"""Where a table of costs of ours says what its columns are; see ``hardware.tables``."""

# NATS-Bench's own names of splits first: x-valid and x-test are halves, ori-test is the whole.
_SPLITS = {
    "x-valid": "valid",
    "ori-test": "test",
    "x-test": "test",
    **{name: name for name in ("train", "valid", "test")},
    **dict.fromkeys(("validation", "val"), "valid"),
}
_OUTCOMES = {
    **dict.fromkeys(("accuracy", "acc", "top1"), "accuracy"),
    **dict.fromkeys(("top1_accuracy", "top1_acc"), "accuracy"),
    **dict.fromkeys(("error", "err", "error_rate", "top1_error", "top1_err"), "error"),
    "loss": "loss",
}
_LARGEST = 1 << 24  # bytes of a file of facts; thousands of metrics take a tenth of it
_SPLIT = "|".join(sorted(_SPLITS, key=len, reverse=True))
_HALVES = r"(?:x-valid|ori-test|x-test)(?![^_-])"
_OUTCOME = "|".join(_OUTCOMES)
_EPOCHS = r"(?:[_-](?:ep(?:ochs?)?)?(?P<epochs>\d{1,6})(?:ep(?:ochs?)?)?)?"
_TRAINED = re.compile(
    rf"(?:(?:(?P<first>{_OUTCOME})|(?P<dataset>(?!{_HALVES}).+?))[_-])?(?P<split>{_SPLIT})"
    rf"(?:[_-](?P<outcome>{_OUTCOME}))?{_EPOCHS}",
    re.IGNORECASE,
)
_TIME = re.compile(
    rf"(?:(?P<dataset>.+?)_)??train(?:ing)?_(?:time(?:_s)?|seconds){_EPOCHS}|time_s",
    re.IGNORECASE,
)
# What NAS-Bench-101 and others put in front of a quantity where a data set could stand.
_NO_DATASETS = ("final", "halfway", "best", "trainable", "total", "num", "n", "model")
_DATASET = re.compile(r"(?<![^_])(?:cifar100|cifar10|imagenet16_120|imagenet)(?![^_])")
_PERCENT = re.compile(r"\s*[(\[]\s*%\s*[)\]]\s*$")
_SPELLED = (
    (re.compile(r"cifar[-_](?=100?(?!\d))", re.IGNORECASE), "cifar"),
    (re.compile(r"imagenet[-_]?16[-_]120", re.IGNORECASE), "imagenet16_120"),
    (re.compile(r"top[-_](?=[15](?!\d))", re.IGNORECASE), "top"),
    (re.compile(r"(?<![a-z])(x|ori)_(?=(?:valid|test)(?![a-z]))", re.IGNORECASE), r"\1-"),
    (re.compile(r"(?<=[a-z])(?=(?:Acc|Accuracy|Err|Error|Loss)(?![a-z]))"), "_"),  # valAcc
)
_AVERAGED = re.compile(r"_(?:avg|mean)$", re.IGNORECASE)
_SEED = re.compile(r"(?P<metric>.+?)(?:@|_seed_?)(?P<seed>\d{1,9})", re.IGNORECASE)
# NAS-Bench-201's three seeds, which are no numbers of epochs: "cifar10_test_777".
_PUBLISHED_SEED = re.compile(
    rf"(?P<metric>(?:.+[_-])?(?:{_SPLIT})(?:[_-](?:{_OUTCOME}))?(?:_\d{{1,3}})?)[_-]"
    rf"(?P<seed>777|888|999)",
    re.IGNORECASE,
)
# NATS-Bench's figure after the last epoch, counted from 0: "x-valid@11" after twelve.
_BY_EPOCH = re.compile(
    r"(?P<metric>(?:.+[_-])?(?:x-valid|ori-test|x-test))@(?P<last>\d{1,5})", re.IGNORECASE
)
_INDEX = re.compile(r"(.*_)?(index|id)|__index_level_\d+__|unnamed:.*|", re.IGNORECASE)


class ColumnFacts(BaseModel):
    """What a user says of a metric, on the command line or in a metadata file.

    The fields are those of ``Metric``; ``seeds`` names the column of each training seed,
    ``missing`` says why an empty cell, a row that is not there, or a -1 stands for no figure, and
    ``label`` is what tables and figures shall call it, see ``Names``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    quantity: str | None = None
    unit: str | None = None
    direction: Direction | None = None
    dataset: str | None = None
    split: Split | None = None
    epochs: PositiveInt | None = None
    device: str | None = None
    resolution: str | None = None
    batch: PositiveInt | None = None
    runtime: str | None = None
    precision: str | None = None
    provenance: Provenance | None = None
    note: str | None = None
    seeds: dict[int, str] | None = None
    missing: Reason | None = None
    label: str | None = None


class Names(BaseModel):
    """What tables and figures call the parts of a table, by identifier: ``about["names"]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    benchmarks: dict[str, str] = {}
    datasets: dict[str, str] = {}
    devices: dict[str, str] = {}
    metrics: dict[str, str] = {}


class MetadataFile(BaseModel):
    """A metadata file: facts by metric name or pattern, and what ``Benchmark.about`` shall hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metrics: dict[str, ColumnFacts] = {}
    about: dict[str, Any] = {}

    @field_validator("about")
    @classmethod
    def _names(cls, about: dict[str, Any]) -> dict[str, Any]:
        Names.model_validate(about.get("names", {}))
        return about


@dataclass
class ColumnGroup:
    """The columns of one metric.

    Attributes:
        mean: the column with the figure reported, if there is one.
        seeds: the column of each training seed.
        aside: columns of seeds that became metrics of their own.
        seed_of: where this is such a column, the metric it was a seed of.
    """

    mean: str | None = None
    seeds: dict[int, str] = field(default_factory=dict)
    aside: list[str] = field(default_factory=list)
    seed_of: str | None = None

    @property
    def columns(self) -> list[str]:
        """All columns of the metric, that of the figure reported first."""
        return list(filter(None, [self.mean, *self.seeds.values()]))


def group_columns(
    columns: Sequence[str], facts: Mapping[str, ColumnFacts]
) -> tuple[dict[str, ColumnGroup], dict[str, str]]:
    """Which columns belong to which metric.

    A seed column that ``facts`` names exactly is set aside: it becomes a metric of its own. A
    mean that holds a seed set aside is left out; that of the other seeds takes its place.

    Returns:
        The columns by metric, and the columns left out with the reason.

    Raises:
        SuiteError: two columns are the same seed of a metric.
    """
    groups = {
        name: ColumnGroup(seeds=dict(said.seeds))
        for name, said in facts.items()
        if said.seeds and set(said.seeds.values()) <= set(columns)
    }
    claimed = {column for group in groups.values() for column in group.seeds.values()}
    rest = [column for column in columns if column not in claimed]
    for column in rest:
        if match := _seed_in(column):
            _add_seed(groups, column, match["metric"], int(match["seed"]), column in facts)
    means = [column for column in rest if not _seed_in(column)]
    left_out = {
        column: reason
        for column in means
        if (reason := _add_mean(groups, column, columns, column in facts))
    }
    return {n: group for n, group in groups.items() if group.mean or group.seeds}, left_out


def _add_seed(
    groups: dict[str, ColumnGroup], column: str, metric: str, seed: int, aside: bool
) -> None:
    """Take a column of one training seed of a metric, or set it aside."""
    group = groups.setdefault(metric, ColumnGroup())
    if aside:
        groups[column] = ColumnGroup(mean=column, seed_of=metric)
        group.aside.append(column)
    elif group.seeds.setdefault(seed, column) != column:
        raise SuiteError(
            f"Columns {group.seeds[seed]!r} and {column!r} are the same seed of {metric!r}: rename "
            f"or drop one of them."
        )


def _add_mean(
    groups: dict[str, ColumnGroup], column: str, columns: Sequence[str], named: bool
) -> str:
    """Take a column that is of no seed as the figure of its metric; why not, if it is left out."""
    base, _, statistic = column.rpartition("_")
    guessed = bool(base) and not named
    if guessed and statistic.lower() in ("std", "iqr"):
        return "a spread"
    is_mean = guessed and statistic.lower() == "mean" and base not in columns
    group = groups.setdefault(base if is_mean else column, ColumnGroup())
    if group.aside:
        return "a mean with the seed that is set aside"
    group.mean = column
    return ""


def infer_facts(name: str) -> dict[str, Any]:
    """What the name of a metric tells of it; empty if nothing.

    >>> infer_facts("CIFAR10_val_12")
    {'quantity': 'accuracy', 'dataset': 'cifar10', 'split': 'valid', 'epochs': 12}
    >>> infer_facts("onnx_cifar100_mj")
    {'quantity': 'energy', 'unit': 'mJ', 'device': 'onnx_cifar100', 'dataset': 'cifar100'}
    """
    name = _AVERAGED.sub("", re.sub(r"[\s./]+", "_", _PERCENT.sub("", name)).strip("_"))
    for spelled, plain in _SPELLED:
        name = spelled.sub(plain, name)
    if match := _BY_EPOCH.fullmatch(name):
        name = f"{match['metric']}_{int(match['last']) + 1}"
    elif match := _seed_in(name):
        name = match["metric"]
    if match := _TIME.fullmatch(name):
        facts: dict[str, Any] = {"quantity": "training_time"}
    elif match := _trained(name):
        outcome = match["outcome"] or match["first"] or "acc"
        facts = {"quantity": _OUTCOMES[outcome.lower()]}
    else:
        return _infer_cost(name)
    if match["dataset"] and match["dataset"].lower() not in _NO_DATASETS:
        facts["dataset"] = match["dataset"].lower()
    if split := match.groupdict().get("split"):
        facts["split"] = _SPLITS[split.lower()]
    if match["epochs"]:
        facts["epochs"] = int(match["epochs"])
    return facts


def _seed_in(name: str) -> re.Match[str] | None:
    """The metric and the training seed that a name says; None where it says no seed."""
    if _BY_EPOCH.fullmatch(name):
        return None
    return _SEED.fullmatch(name) or _PUBLISHED_SEED.fullmatch(name)


def _trained(name: str) -> re.Match[str] | None:
    """What a name of an accuracy, error or loss says; None where it is none.

    "valid" alone may be anything; with a data set, or as NATS-Bench writes it, it is an accuracy.
    """
    match = _TRAINED.fullmatch(name)
    if match and any((match["dataset"], match["first"], match["outcome"], "-" in match["split"])):
        return match
    return None


def _infer_cost(name: str) -> dict[str, Any]:
    base, facts = read_suffix(name)
    if base:
        if QUANTITIES[facts["quantity"]].of_device:
            facts["device"] = base
            if match := _DATASET.search(base.lower()):
                facts["dataset"] = match[0]
        elif base.lower() not in _NO_DATASETS:
            facts["dataset"] = base.lower()
    return facts


def is_index(name: str) -> bool:
    """Whether a column of that name numbers something, rather than measures it."""
    return _INDEX.fullmatch(name) is not None


def said_of(name: str, facts: Mapping[str, ColumnFacts]) -> dict[str, Any]:
    """What the user says of a metric, by name or pattern; later entries override earlier ones."""
    said: dict[str, Any] = {}
    for pattern, one in facts.items():
        if pattern == name or fnmatchcase(name, pattern):
            said |= one.model_dump(exclude_none=True, exclude={"seeds", "missing", "label"})
    return said


def label_of(name: str, facts: Mapping[str, ColumnFacts]) -> str | None:
    """What a metric shall be called; None where nobody says."""
    return _last_said(name, facts, "label")


def reason_of(name: str, facts: Mapping[str, ColumnFacts]) -> str | None:
    """Why a metric has no figure of some architectures; None where nobody says."""
    return _last_said(name, facts, "missing")


def _last_said(name: str, facts: Mapping[str, ColumnFacts], what: str) -> str | None:
    said = None
    for pattern, one in facts.items():
        if pattern == name or fnmatchcase(name, pattern):
            said = getattr(one, what) or said
    return said


def parse_fact(text: str) -> tuple[str, ColumnFacts]:
    """A metric name or pattern and what is said of it, from ``NAME:key=value,key=value``.

    The name may have colons of its own: it ends before the first that a key follows.

    Raises:
        SuiteError: it is not of that form, or says something a metric does not have.
    """
    keys = "|".join(ColumnFacts.model_fields)
    found = re.match(rf"(.+?)(:)((?:{keys})\s*=.*)", text, re.DOTALL)
    name, colon, settings = found.groups() if found else text.partition(":")
    pairs = [setting.partition("=") for setting in settings.split(",")]
    if not name or not colon or not all(equals for _, equals, _ in pairs):
        raise SuiteError(f"Cannot read --metric {text!r}: write it as NAME:key=value,key=value.")
    try:
        facts = {key.strip(): value.strip() for key, _, value in pairs}
        return name, ColumnFacts.model_validate(facts)
    except ValidationError as error:
        raise SuiteError(f"Cannot read --metric {text!r}: {_first_fault(error)}") from None


def unmeasured(reason: str) -> tuple[str, ColumnFacts]:
    """Why any metric has no figure of some architectures, as ``parse_fact`` gives a fact.

    Raises:
        SuiteError: the reason is none of ``REASONS``.
    """
    try:
        return "*", ColumnFacts.model_validate({"missing": reason})
    except ValidationError:
        raise SuiteError(choose_from("reason", reason, REASONS[1:])) from None


def merge_facts(
    file: MetadataFile, metrics: Iterable[tuple[str, ColumnFacts | Mapping[str, Any]]]
) -> MetadataFile:
    """What a metadata file says, overridden by ``metrics``, of which later ones override earlier.

    Raises:
        SuiteError: ``metrics`` says something a metric does not have.
    """
    merged = dict(file.metrics)
    for name, said in metrics:
        try:
            facts = ColumnFacts.model_validate(said)
        except ValidationError as error:
            raise SuiteError(f"Metric {name!r}: {_first_fault(error)}") from None
        before = merged.pop(name, ColumnFacts())  # taken out, so that it comes last and decides
        merged[name] = before.model_copy(update=facts.model_dump(exclude_none=True))
    return file.model_copy(update={"metrics": merged})


def read_metadata_file(path: Path) -> MetadataFile:
    """Read a TOML or JSON file of facts on metrics.

    Raises:
        SuiteError: it cannot be read, or says something a metric does not have.
    """
    need_regular_file(path, _LARGEST)
    if not path.exists():
        raise SuiteError(f"There is no metadata file {path}.")
    try:
        text = decoded(path, path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
        content = json.loads(text) if path.suffix.lower() == ".json" else parse_toml(text)
    except SuiteError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise SuiteError(
            f"Metadata file {path} cannot be read ({error or type(error).__name__}): give TOML, "
            f"or JSON in a file named *.json."
        ) from None
    try:
        # Dates, which TOML has, become text: what is said must fit into the benchmark's file.
        return MetadataFile.model_validate(json.loads(json.dumps(content, default=str)))
    except ValidationError as error:
        raise SuiteError(f"Metadata file {path}: {_first_fault(error)}") from None


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    place = [str(part) for part in fault["loc"]]
    if fault["type"] == "extra_forbidden":
        in_file = error.title == MetadataFile.__name__ and len(place) == 1
        of_table = Names if place[:-1] == ["about"] else ColumnFacts
        known = MetadataFile if in_file else of_table
        return choose_from("key", place[-1], list(known.model_fields))
    if not place:
        return "it is no table of keys: give metrics, about, or both."
    return first_fault(error)
