"""The library of benchmarks: those of packages, and those imported under ``$NASBENCH_HOME``.

A package brings a benchmark by a line under the entry point group ``nasbench_suite.benchmarks``,
which names a ``PackagedBenchmark``.

What ``nasbench data`` does is one function each: ``list_benchmarks``, ``import_benchmark``,
``describe_benchmark`` and ``verify_benchmark``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from nasbench_suite import registry
from nasbench_suite.benchmarks.formats import BenchmarkFormat, Progress, find_format
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.packaged import PackagedBenchmark
from nasbench_suite.benchmarks.sources import SOURCES, Source, find_source, sources_of
from nasbench_suite.benchmarks.surrogate import Surrogate, judge, read_surrogate, write_surrogate
from nasbench_suite.benchmarks.table import Benchmark
from nasbench_suite.benchmarks.table_file import (
    is_benchmark_file,
    read_benchmark,
    read_metadata,
    write_benchmark,
)
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.files.home import HOME_VARIABLE, home_folder
from nasbench_suite.spaces import PoolSpace, SearchSpace, list_spaces, load_space

if TYPE_CHECKING:
    from nasbench_suite.benchmarks.columns import ColumnFacts, MetadataFile
    from nasbench_suite.benchmarks.importing import Imported

    _Facts: TypeAlias = Mapping[str, ColumnFacts | Mapping[str, Any]]

_SUFFIX = ".parquet"
SURROGATE_SUFFIX = ".surrogate"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def benchmark_home() -> Path:
    """The folder of imported benchmarks, under ``$NASBENCH_HOME`` or the user's data folder."""
    return home_folder("benchmarks")


def known_benchmarks() -> list[str]:
    """The names ``load_benchmark`` knows: those of packages, then the imported ones."""
    imported = sorted(path.name.removesuffix(_SUFFIX) for path in _imported_files())
    return [*registry.entries("benchmarks"), *imported]


def load_benchmark(name_or_path: str | Path) -> Benchmark:
    """The benchmark of that name, embedded or imported, or in that file.

    Its columns are read when first asked for.

    Raises:
        SuiteError: there is none, or its file is damaged.
    """
    path = find_benchmark(name_or_path)
    named = path == _path_of(str(name_or_path))
    return read_benchmark(path, str(name_or_path) if named else None)


def find_benchmark(name_or_path: str | Path) -> Path:
    """The file of a benchmark given by its name or path.

    Raises:
        SuiteError: there is none.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, str):
        path = _path_of(text)
        if path is not None and path.is_file():
            return path
        brought = registry.entries("benchmarks")
        if text in brought:
            raise SuiteError(
                f"The file of benchmark {text!r} is missing from this installation ({path}): "
                f"install {brought[text].distribution} again."
            )
    path = Path(text)
    if path.is_file():
        return path
    if _is_surrogate(text):
        raise SuiteError(
            f"{text!r} is a surrogate, which has no table: search on it with `nasbench run "
            f"--benchmark {text}`."
        )
    if isinstance(name_or_path, Path) or path.suffix == _SUFFIX or _path_of(text) is None:
        raise SuiteError(f"There is no benchmark file {text!r}.")
    raise SuiteError(
        f"{choose_from('benchmark', text, known_benchmarks())} "
        f"(`nasbench data import FILE --name {text}` adds one.)"
    )


def _path_of(name: str) -> Path | None:
    """Where the benchmark of that name is or would be; None if it cannot be a name."""
    if name in registry.entries("benchmarks"):
        return registry.load_object("benchmarks", name, PackagedBenchmark).path
    if not _NAME.fullmatch(name) or name.endswith(_SUFFIX):
        return None
    return benchmark_home() / (name + _SUFFIX)


def _is_surrogate(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and surrogate_path(name).is_file()


def surrogate_path(name: str) -> Path:
    """Where the surrogate of that name is or would be."""
    return benchmark_home() / (name + SURROGATE_SUFFIX)


def _imported_files() -> list[Path]:
    brought = registry.entries("benchmarks")
    return [
        path
        for path in benchmark_home().glob(f"*{_SUFFIX}")
        if _NAME.fullmatch(path.name) and path.name.removesuffix(_SUFFIX) not in brought
    ]


def find_sources(name: str) -> list[Source]:
    """Where figures were published, by the name of their benchmark, of a space, or of a table.

    Returns:
        The source; of a space or a benchmark at hand whose figures have no publisher's page all
        that publish figures of its space, which may be none.

    Raises:
        SuiteError: nothing is known by that name.
    """
    with suppress(SuiteError):
        return [find_source(name)]
    if name in known_benchmarks():
        known = load_benchmark(name)
        page = known.about.get("url")
        space = getattr(known.space, "base", known.space)
        published = sources_of(space.name)
        return [source for source in published if source.page == page] or published
    with suppress(SuiteError):
        return sources_of(load_space(name).name)
    others = [*list_spaces(), *known_benchmarks()]
    raise SuiteError(
        choose_from("published benchmark", name, list(SOURCES), {other: other for other in others})
    )


# -- import ----------------------------------------------------------------------------------------


def import_benchmark(
    path: str | Path,
    name: str | None = None,
    space: str | None = None,
    *,
    latency: Sequence[str | Path] = (),
    metadata: str | Path | None = None,
    metrics: _Facts | Sequence[tuple[str, ColumnFacts]] = (),
    form: str | None = None,
    arch_column: str | None = None,
    in_index_order: bool = False,
    encoding: str | None = None,
    force: bool = False,
    partial: bool = False,
    overwrite: bool = False,
    published: str | None = None,
    progress: Progress | None = None,
) -> Imported[Benchmark] | Imported[Surrogate]:
    """Import a table or an official archive under a name that ``load_benchmark`` knows then.

    Args:
        path: a Parquet or CSV table, a file of this suite, or a file or folder of a published
            format; or the name of a format whose figures an installed package brings.
        name: its name; an official archive has one of its own.
        space: the space of a table's architectures; the others know theirs.
        latency: tables with further metrics, latencies in ms if not described otherwise.
        metadata: TOML or JSON file that describes metrics, see ``columns.MetadataFile``.
        metrics: facts on metrics by name or pattern, such as ``{"fpga": {"provenance":
            "modelled"}}``, which override those of the file; or pairs of both, in order.
        form: the published format it is of, if it is not to be told by the content.
        arch_column: the table's column with the architecture, if not to be found by itself.
        in_index_order: the table's rows stand in index order.
        encoding: how numbers or vectors of a table's architectures are meant; see ``encodings``.
        force: import figures that fit another order of the architectures better.
        partial: take an excerpt, or a table of a sample, as it is: the benchmark is then searched
            among the architectures that are there. A space too large to list needs no such word.
        overwrite: replace a benchmark of that name.
        published: the benchmark whose figures a table holds, as ``nasbench data where`` names it:
            its paper, page and licence are kept, and printed where the figures are shown.
        progress: called while an archive is read.

    Returns:
        The benchmark as it was written, the columns left out, and hints; or a surrogate, with how
        it ranks the architectures of a table at hand.

    Raises:
        SuiteError: see ``import_table``; or the name is taken or no name. What was imported
            before is then as it was.
    """
    from nasbench_suite.benchmarks.importing import add_latencies, import_table

    path = Path(path)
    latencies = [Path(file) for file in latency]
    facts = _described(metadata, metrics, published)
    archive = _published(path, form)
    if archive is None and not path.exists():
        raise SuiteError(f"There is no file {path}.")
    if name is None and archive is None:
        raise SuiteError(f"The table {path} needs a name: give one with --name NAME.")
    suffix = SURROGATE_SUFFIX if archive and archive[0].surrogate else _SUFFIX
    target = free_path(str(archive[1] if archive and name is None else name), overwrite, suffix)
    if archive or is_benchmark_file(path):
        if encoding is not None and not latencies:
            raise SuiteError(
                f"{path} says itself which architectures it holds: leave out --encoding {encoding}."
            )
        benchmark = _self_described(path, archive, name, space, partial, progress)
        if isinstance(benchmark, Surrogate):
            if latencies or metrics or metadata or published:
                raise SuiteError(
                    f"{path} holds models, which know what they answer: leave out --latency, "
                    f"--metric, --metadata and --published."
                )
            return _keep(benchmark, target)
        imported = add_latencies(benchmark, latencies, facts, encoding=encoding, force=force)
    elif space is None:
        raise SuiteError(
            f"The table {path} needs the space of its architectures: give one of "
            f"{', '.join(list_spaces())} with --space."
        )
    else:
        imported = import_table(
            path,
            str(name),
            load_space(space),
            partial=partial,
            metadata=facts,
            latency=latencies,
            arch_column=arch_column,
            in_index_order=in_index_order,
            encoding=encoding,
            force=force,
        )
    try:
        write_benchmark(imported.benchmark, target)
    except SuiteError as error:
        raise SuiteError(f"{str(error).rstrip('.')} with ${HOME_VARIABLE}.") from None
    return replace(imported, benchmark=read_benchmark(target))


def _described(
    metadata: str | Path | None,
    metrics: _Facts | Sequence[tuple[str, ColumnFacts]],
    published: str | None,
) -> MetadataFile:
    """What is said of a table: by a file, by word, and by who published it."""
    from nasbench_suite.benchmarks.columns import MetadataFile, merge_facts, read_metadata_file

    file = read_metadata_file(Path(metadata)) if metadata else MetadataFile()
    facts = merge_facts(file, metrics.items() if isinstance(metrics, Mapping) else metrics)
    if published is None:
        return facts
    return facts.model_copy(update={"about": {**find_source(published).credit, **facts.about}})


def _self_described(
    path: Path,
    archive: tuple[BenchmarkFormat, str] | None,
    name: str | None,
    space: str | None,
    partial: bool,
    progress: Progress | None,
) -> Benchmark | Surrogate:
    """The benchmark in a file that says itself what it holds: an archive, or one of this suite.

    Raises:
        SuiteError: it is damaged, or of another space than is said.
    """
    benchmark: Benchmark | Surrogate
    if archive is None:
        benchmark = _read_sound(path)
    else:
        reader = archive[0].read_partial if partial else archive[0].read
        benchmark = reader(path, space=space, progress=progress)
        if name is None and not archive[0].installed:
            name = archive[1]  # by which it is found, of two files of one format each its own
    if space is not None and load_space(space).name != _base(benchmark).name:
        raise SuiteError(f"{path} holds space {benchmark.space.name!r}, not {space!r}.")
    return replace(benchmark, name=name or benchmark.name)


_DOUBTFUL = 0.5
"""Below this rank correlation a surrogate hardly knows the architectures of a table."""


def _keep(surrogate: Surrogate, target: Path) -> Imported[Surrogate]:
    """Write a surrogate that others fitted, with how it ranks what a table at hand has measured."""
    from nasbench_suite.benchmarks.importing import Imported

    fits, hints, warnings = {}, [], []
    for name, metric in surrogate.metrics.items():
        found = _table_of(metric, surrogate.space)
        if found is None:
            hints.append(
                f"{name}: no table at hand has its figures, so its answers are not compared."
            )
            continue
        table, column = found
        members = cast(PoolSpace, table.space).members
        answers = np.stack([surrogate.figures(members, name, k) for k in metric.seeds], axis=1)
        known = np.isfinite(table.values(column))
        fits[name] = fit = judge(
            answers.mean(axis=1)[known], table.values(column)[known], answers[known]
        )
        hints.append(
            f"{name}: on the {fit.architectures:,} architectures of benchmark {table.name!r} "
            f"Spearman {fit.spearman:.3f}, Kendall {fit.kendall:.3f}, error {fit.rmse:.3g} "
            f"{metric.unit}."
        )
        if not fit.spearman >= _DOUBTFUL:
            warnings.append(
                f"{name} hardly ranks the architectures of {table.name!r}: one of the two is of "
                f"something else, or its features stand in another order."
            )
    surrogate = replace(surrogate, fits=fits)
    write_surrogate(surrogate, target)
    return Imported(read_surrogate(target), hints=hints, warnings=warnings)


def _table_of(metric: Metric, space: SearchSpace) -> tuple[Benchmark, str] | None:
    """A table at hand of a part of a space with the figure of a metric, and the figure's name."""
    for name in known_benchmarks():
        with suppress(SuiteError):
            table = load_benchmark(name)
            if isinstance(table.space, PoolSpace) and table.space.base.name == space.name:
                for other in table.metrics.values():
                    if _figure(other) == _figure(metric):
                        return table, other.name
    return None


def _figure(metric: Metric) -> tuple[object, ...]:
    return metric.quantity, metric.unit, metric.dataset, metric.split, metric.epochs


def _base(benchmark: Benchmark | Surrogate) -> SearchSpace:
    """The space that a benchmark's architectures are of."""
    space = benchmark.space
    return space.base if isinstance(space, PoolSpace) else space


def free_path(name: str, overwrite: bool, suffix: str = _SUFFIX) -> Path:
    """Where to write the benchmark of that name, a table or what the suffix says.

    Raises:
        SuiteError: it is no name, or there is something of that name, other than what is to be
            replaced.
    """
    path = _path_of(name)
    if path is None:
        raise SuiteError(
            f"{name!r} cannot name a benchmark: use letters, digits, '.', '_' and '-', a letter or "
            f"digit first, without the suffix {_SUFFIX}."
        )
    brought = registry.entries("benchmarks")
    if name in brought:
        raise SuiteError(
            f"{name!r} is a benchmark of the package {brought[name].distribution}: choose another "
            f"name."
        )
    wanted = path.with_name(name + suffix)
    for other in (path, surrogate_path(name)):
        if other.exists() and not (overwrite and other == wanted):
            mend = ", or replace it with --overwrite" if other == wanted else ""
            raise SuiteError(f"There is already a benchmark {name!r}: choose another name{mend}.")
    return wanted


def _published(path: Path, form: str | None) -> tuple[BenchmarkFormat, str] | None:
    """The published format of a source and the name for its benchmark; None if it is a table."""
    if form is None:
        found = find_format(path)
        return found[1:] if found else None
    chosen = registry.load_object("formats", form, BenchmarkFormat)
    return chosen, chosen.recognise(path) or form


def _read_sound(path: Path) -> Benchmark:
    faults = verify_benchmark(path).faults
    if faults:
        raise SuiteError(f"{path} is damaged ({'; '.join(faults)}): get it again.")
    return read_benchmark(path)


# -- list, info, verify ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Listed:
    """One benchmark of the library.

    Attributes:
        name: its name.
        path: its file.
        space: name of its space.
        datasets: data sets that its metrics were measured on.
        metrics: number of metrics.
        rows: number of architectures.
        size: size of the file in bytes.
        source: where its figures come from.
        fault: why it cannot be loaded; empty if it can.
    """

    name: str
    path: Path
    space: str = ""
    datasets: tuple[str, ...] = ()
    metrics: int = 0
    rows: int = 0
    size: int = 0
    source: str = ""
    fault: str = ""


def list_benchmarks() -> list[Listed]:
    """The benchmarks at hand: the embedded ones, then the imported ones by name."""
    return [_listed(name) for name in known_benchmarks()]


def _listed(name: str) -> Listed:
    try:
        path = find_benchmark(name)
        benchmark = read_benchmark(path, name)
    except SuiteError as error:
        return Listed(name, _path_of(name) or Path(), fault=str(error))
    return Listed(
        name,
        path,
        benchmark.space.name,
        tuple(benchmark.datasets),
        len(benchmark.metrics),
        benchmark.space.size,
        path.stat().st_size,
        _source(benchmark, name),
    )


def _source(benchmark: Benchmark, name: str) -> str:
    """Where the figures of a benchmark come from."""
    brought = registry.entries("benchmarks").get(name)
    if brought is None:
        return str(benchmark.about.get("source", "unknown"))
    ours = brought.distribution == "nasbench-suite"
    return "embedded" if ours else f"package {brought.distribution}"


def describe_benchmark(benchmark: Benchmark | str | Path) -> dict[str, Any]:
    """What there is to know of a benchmark, as JSON-able values.

    Returns:
        ``name``, ``space``, ``architectures``, ``classes`` (isomorphism classes),
        ``disconnected`` (architectures without a path from input to output), ``datasets``,
        ``checksum``, ``about``, and ``metrics``: for each its ``Metric`` fields, ``min``, ``max``,
        ``missing`` (how many architectures have no figure, by reason), ``optimum`` (``value``,
        ``index``, ``architecture``), and for an accuracy or loss its
        ``noise`` (the fields of ``NoiseFloor``), or else ``no_noise``, the reason.

    Raises:
        SuiteError: there is no such benchmark, or it is damaged.
    """
    if not isinstance(benchmark, Benchmark):
        benchmark = load_benchmark(benchmark)
    space = benchmark.space
    return {
        "name": benchmark.name,
        "space": space.name,
        "architectures": space.size,
        "classes": len(space.representatives),
        "disconnected": int((~space.connected).sum()),
        "datasets": benchmark.datasets,
        "checksum": benchmark.checksum,
        "about": dict(benchmark.about),
        "metrics": [_describe_metric(benchmark, metric) for metric in benchmark.metrics.values()],
    }


def _describe_metric(benchmark: Benchmark, metric: Metric) -> dict[str, Any]:
    from nasbench_suite.benchmarks.noise import (
        OUTCOMES,
        noise_floor,
        resolution,
        why_no_noise_floor,
    )

    values = benchmark.values(metric.name)
    best = benchmark.best(metric.name)
    described = {
        **metric.as_dict(),
        "conditions": metric.conditions,
        "seeds": list(metric.seeds),
        "missing": benchmark.missing(metric.name),
        "min": float(np.nanmin(values)),
        "max": float(np.nanmax(values)),
        "optimum": {
            "value": float(values[best]),
            "index": best,
            "architecture": benchmark.space.string(best),
        },
    }
    if metric.quantity in OUTCOMES:
        noise = noise_floor(benchmark, metric.name)
        described["noise"] = asdict(noise) if noise else None
        described["resolution"] = resolution(benchmark, metric.name)
        if not noise:
            described["no_noise"] = why_no_noise_floor(benchmark, metric.name)
    return described


@dataclass(frozen=True)
class Verification:
    """What checking a benchmark's file found.

    Attributes:
        path: the file.
        checks: each check and its fault, empty if it passed.
    """

    path: Path
    checks: Mapping[str, str]

    @property
    def faults(self) -> list[str]:
        """The faults found, none if the file is sound."""
        return [fault for fault in self.checks.values() if fault]


def verify_benchmark(name_or_path: str | Path) -> Verification:
    """Check a benchmark's file: that every figure is there, finite, and as it was written.

    Raises:
        SuiteError: there is no such benchmark, or its file cannot be opened at all.
    """
    path = find_benchmark(name_or_path)
    benchmark = read_benchmark(path)
    needed = [
        column
        for metric in benchmark.metrics.values()
        for column in (metric.name, *map(metric.seed_column, metric.seeds))
    ]
    missing = [column for column in needed if column not in benchmark.columns]
    unread, infinite = [], []
    for column in needed:
        if column in missing:
            continue
        try:
            values = benchmark.columns[column]
        except SuiteError as error:
            unread.append(str(error).rstrip("."))
            continue
        wrong = np.isinf(values)
        if column in benchmark.metrics:
            try:
                codes = benchmark.reasons(column)
            except SuiteError as error:
                unread.append(str(error).rstrip("."))
                continue
            wrong |= np.isnan(values) if codes is None else np.isnan(values) != (codes > 0)
        if wrong.any():
            infinite.append(f"{column} at architecture {int(wrong.argmax())}")
    strangers = _wrong_keys(benchmark)
    checks = {
        "metadata": "" if benchmark.metrics else "it describes no metric",
        "columns": f"columns missing: {', '.join(missing)}" if missing else "",
        "rows": unread[0] if unread else "",
        "hashes": f"hashes that are not those of their rows: {strangers}" if strangers else "",
        "finite": f"figures not finite: {', '.join(infinite)}" if infinite else "",
    }
    if missing or unread:
        checks["checksum"] = "the checksum cannot be computed"
    else:
        written = read_metadata(path)["checksum"]
        same = benchmark.compute_checksum() == written
        checks["checksum"] = "" if same else "the figures are not those that were written"
    return Verification(path, checks)


def _wrong_keys(benchmark: Benchmark) -> int:
    """How many rows of a partial table are kept under the hash of another architecture."""
    space = benchmark.space
    if not isinstance(space, PoolSpace) or not space.base.one_row_a_class:
        return 0
    pairs = zip(space.members, space.keys, strict=True)
    return sum(space.base.row_key(member) != key for member, key in pairs)
