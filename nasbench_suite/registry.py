"""What can be plugged in: every kind of part, and each part by its name.

A part is an entry point of an installed distribution, in the group ``nasbench_suite.KIND``; those
of this suite stand in its ``pyproject.toml`` like anybody's. Nothing is imported before it is asked
for by its name, and a part that cannot be imported is listed with the reason. A name is shown, and
asked for, with what hides or steers in it escaped (``lookalikes.shown_name``).
"""

from __future__ import annotations

import ast
import inspect
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib import import_module
from importlib.metadata import Distribution, EntryPoint, EntryPoints, distributions, entry_points
from typing import TYPE_CHECKING, Any, TypeVar

from nasbench_suite import sources
from nasbench_suite.errors import SuiteError, choose_from, plain, printable, reason
from nasbench_suite.lookalikes import shown_name
from nasbench_suite.patience import if_longer_than

if TYPE_CHECKING:
    from importlib.metadata import SelectableGroups  # until Python 3.12

T = TypeVar("T")

_PATIENCE = 20.0  # seconds of an import after which it is said what is waited for


@dataclass(frozen=True)
class Kind:
    """A kind of part.

    Attributes:
        name: plural, as ``nasbench list`` takes it.
        one: what a sentence calls one of them.
        summary: what they are, in one sentence.
        described_by: ``module:function`` that says what one is, where a part cannot say it itself.
        aliased: whether one may have further names, in an attribute ``aliases``. They are looked
            for among all parts where no part has the name itself, so importing these must be quick.
    """

    name: str
    one: str
    summary: str
    aliased: bool = False
    described_by: str = ""

    @property
    def group(self) -> str:
        """The group of entry points they are registered in, whose name may have no hyphen."""
        return f"nasbench_suite.{self.name.replace('-', '_')}"


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("methods", "method", "Search methods: nasbench_suite.tasks.Method."),
        Kind("spaces", "search space", "Search spaces: nasbench_suite.spaces.SearchSpace.", True),
        Kind(
            "benchmarks",
            "benchmark",
            "Benchmarks that come with a package: "
            "nasbench_suite.benchmarks.packaged.PackagedBenchmark.",
        ),
        Kind(
            "open-benchmarks",
            "open benchmark",
            "What answers for any architecture, as NAME:WHAT: a function that makes a "
            "nasbench_suite.benchmarks.open.OpenBenchmark.",
        ),
        Kind(
            "formats",
            "format",
            "What `nasbench data import` reads besides tables: "
            "nasbench_suite.benchmarks.formats.BenchmarkFormat.",
        ),
        Kind(
            "networks",
            "kind of networks",
            "Networks of a search space's architectures, by the space's name: a "
            "nasbench_suite.networks.Builder.",
        ),
        Kind(
            "datasets",
            "data set",
            "Images that networks are trained on: nasbench_suite.datasets.DataSet.",
        ),
        Kind("figures", "figure", "Figures of `nasbench figure`: reports.figures.figure.Figure."),
        Kind("panels", "panel", "Parts of the HTML report: a function of the results."),
        Kind(
            "proxies",
            "proxy",
            "Scores of architectures without training: nasbench_suite.proxies.Proxy.",
        ),
        Kind(
            "predictors",
            "predictor",
            "What learns figures of architectures from some: nasbench_suite.predictors.Predictor.",
        ),
        Kind("runtimes", "runtime", "What runs networks to time them: hardware.runtimes.Runtime."),
        Kind("executors", "executor", "Where trials run: nasbench_suite.runner.executors."),
        Kind(
            "suites",
            "suite",
            "Experiments that can be cited by name: `nasbench run --suite`.",
            described_by="nasbench_suite.suites:describe_suite",
        ),
        Kind("commands", "command", "Commands of nasbench: a typer application or a function."),
    )
}


@dataclass(frozen=True)
class Entry:
    """One part as it is registered.

    Attributes:
        kind: what it is.
        name: what it is called.
        value: where it is, as ``module:attribute``.
        rivals: entries of other distributions that claim the same name for something else.
    """

    kind: Kind
    name: str
    value: str
    point: EntryPoint = field(repr=False)
    rivals: tuple[EntryPoint, ...] = ()

    @property
    def distribution(self) -> str:
        """The name of the distribution that brings it; found when asked for, as it takes long."""
        return _owner(self.point)

    @property
    def own(self) -> bool:
        """Whether this suite brings it."""
        return self.distribution == "nasbench-suite"

    def load(self) -> Any:
        """What stands there, imported.

        Raises:
            SuiteError: it cannot be imported, or others claim its name.
        """
        if self.rivals:
            claims = " and ".join(
                f"{_owner(point)} ({point.value})" for point in (self.point, *self.rivals)
            )
            raise SuiteError(
                f"Two installed distributions name a {self.kind.one} {self.name!r}, {claims}: "
                f"uninstall one of them."
            )
        with self.explained(BaseException), self._waited_for():
            return self.point.load()

    def call(self, *arguments: Any) -> Any:
        """What the part gives when it is called.

        Raises:
            SuiteError: it cannot be imported, or called with these.
        """
        part = self.load()
        with self.blamed("be called"):
            return part(*arguments)

    @property
    def aliases(self) -> tuple[str, ...]:
        """Its further names; a class inherits nobody's.

        Raises:
            SuiteError: it cannot be imported, or what it says of them are no names.
        """
        if not self.kind.aliased:
            return ()
        part = self.load()
        with self.blamed("tell its aliases"):
            found = _own(part, "aliases", ())
            if isinstance(found, str) or not all(isinstance(name, str) for name in found):
                raise TypeError(f"{found!r} are no names")
            return tuple(found)

    @contextmanager
    def blamed(self, what: str) -> Iterator[None]:
        """Have whatever goes wrong in somebody's part end as one sentence that names the part.

        Args:
            what: that it cannot do, such as ``be called``.

        Raises:
            SuiteError: anything was raised but an interruption.
        """
        try:
            yield
        except (SuiteError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise SuiteError(
                f"{self.kind.one.capitalize()} {self.name!r} ({self.value}) cannot {what}: "
                f"{reason(error)}."
            ) from error

    def _waited_for(self) -> AbstractContextManager[None]:
        """Say what is waited for where that takes long, as an import may take for ever."""
        if self.value.partition(":")[0] in sys.modules:  # then nothing is
            return nullcontext()
        said = f"{self.kind.one.capitalize()} {self.name!r} ({self.value}) is still being imported."
        return if_longer_than(_PATIENCE, partial(print, printable(said), file=sys.stderr))

    @contextmanager
    def explained(self, *kinds: type[BaseException]) -> Iterator[None]:
        """Have what is not installed named in a sentence, with the extra that brings it.

        Args:
            kinds: the errors meant; by default those of an import.

        Raises:
            SuiteError: an error of these kinds.
        """
        try:
            yield
        except KeyboardInterrupt:
            raise
        except kinds or (ImportError,) as error:  # noqa: B030 -- a tuple either way
            from nasbench_suite.import_faults import why_not_imported

            raise SuiteError(
                f"{self.kind.one.capitalize()} {self.name!r} {why_not_imported(self.point, error)}"
            ) from error


def choose_kind(name: str) -> Kind:
    """The kind of that name.

    Raises:
        SuiteError: there is none.
    """
    if name not in KINDS:
        raise SuiteError(choose_from("kind", name, list(KINDS)))
    return KINDS[name]


def entries(kind: str) -> dict[str, Entry]:
    """The registered parts of a kind by name, sorted by name; none is imported."""
    chosen = choose_kind(kind)
    found: dict[str, list[EntryPoint]] = {}
    for point in sorted(_installed(chosen.group), key=lambda point: point.name):
        claims = found.setdefault(shown_name(point.name), [])
        if all(point.value != claim.value for claim in claims):
            claims.append(point)
    return {
        name: Entry(chosen, name, first.value, first, tuple(rivals))
        for name, (first, *rivals) in found.items()
    }


def _installed(group: str) -> EntryPoints:
    """The entry points of a group; all are read once for as long as nothing is installed."""
    every = _read_points(tuple((folder, _changed(folder)) for folder in sys.path))
    return every.select(group=group)


@lru_cache(maxsize=1)
def _read_points(_: tuple[tuple[str, int], ...]) -> EntryPoints | SelectableGroups:
    with suppress(Exception):
        return entry_points()
    first: dict[str, Distribution] = {}  # as there, but for those whose own cannot be read
    for one in distributions():
        with suppress(Exception):
            first.setdefault(one.name, one)
    return EntryPoints(point for one in first.values() for point in _points_of(one))


def _points_of(distribution: Distribution) -> Iterator[EntryPoint]:
    try:
        yield from distribution.entry_points
    except Exception as error:
        said = (
            f"What {distribution.name} registers cannot be read and is left out: {reason(error)}."
        )
        print(printable(said), file=sys.stderr)


def _changed(folder: str) -> int:
    """When something was last put into a folder of modules, or taken out; 0 if it is none."""
    try:
        return os.stat(folder or os.curdir).st_mtime_ns
    except (OSError, ValueError):
        return 0


def find(kind: str, name: str) -> Entry:
    """The part of that name or alias.

    Raises:
        SuiteError: there is none, and the sentence names the nearest; or several have that alias.
    """
    known = entries(kind)
    if name in known:
        return known[name]
    chosen = choose_kind(kind)
    aliases: dict[str, list[Entry]] = {}
    if chosen.aliased:
        for entry in known.values():
            with suppress(SuiteError):  # one that cannot be imported has no names that are known
                for alias in {*map(plain, (entry.name, *entry.aliases))}:
                    aliases.setdefault(alias, []).append(entry)
    if found := aliases.get(plain(name)):
        if len(found) > 1:
            names = " and ".join(f"{one.name!r} ({one.distribution})" for one in found)
            raise SuiteError(f"{name!r} is an alias of {names}: ask for one of them by its name.")
        return found[0]
    named = {alias: found[0].name for alias, found in aliases.items()}
    raise SuiteError(choose_from(chosen.one, name, list(known), named))


def load_class(kind: str, name: str, base: type[T]) -> type[T]:
    """The class registered under that name or alias.

    Raises:
        SuiteError: there is none, it cannot be imported, or it is no subclass of ``base``.
    """
    entry = find(kind, name)
    loaded = entry.load()
    if not (isinstance(loaded, type) and issubclass(loaded, base)):
        raise SuiteError(
            f"{entry.kind.one.capitalize()} {name!r} ({entry.value}) is no subclass of "
            f"{base.__name__}."
        )
    return loaded


def load_object(kind: str, name: str, base: type[T]) -> T:
    """The object registered under that name or alias; a class is called to make one.

    Raises:
        SuiteError: there is none, it cannot be imported, or it is no instance of ``base``.
    """
    entry = find(kind, name)
    loaded = entry.load()
    made = entry.call() if isinstance(loaded, type) and issubclass(loaded, base) else loaded
    if not isinstance(made, base):
        raise SuiteError(
            f"{entry.kind.one.capitalize()} {name!r} ({entry.value}) is no {base.__name__}."
        )
    return made


@dataclass(frozen=True)
class Listed:
    """One part as ``nasbench list`` shows it.

    Attributes:
        name: what it is called.
        summary: what its author says of it in one line.
        distribution: the distribution that brings it.
        aliases: its further names.
        fault: why it cannot be used; empty if it can.
    """

    name: str
    summary: str
    distribution: str
    aliases: tuple[str, ...] = ()
    fault: str = ""

    @property
    def lack(self) -> str:
        """Why it cannot be used, without its name, so that equal reasons can be told once."""
        return self.fault.partition(f"{self.name!r} ")[2] or self.fault


def describe(kind: str) -> list[Listed]:
    """The parts of a kind; one that cannot be imported is listed with the reason.

    What a class of this suite says of itself is read from its source, as importing all takes
    seconds; all other parts are imported.
    """
    described = []
    for name, entry in entries(kind).items():
        told = _read_summary(entry)
        if told is not None and sources.can_be_found(entry.point.module):
            described.append(Listed(name, told, entry.distribution))
            continue
        try:
            part = entry.load()
            with entry.blamed("be described"):
                told = _told(entry, part)
            described.append(Listed(name, told, entry.distribution, entry.aliases))
        except SuiteError as error:
            described.append(Listed(name, told or "", entry.distribution, fault=str(error)))
    return described


def _told(entry: Entry, part: object) -> str:
    """What a part says of itself, or what its kind has somebody else say."""
    if not entry.kind.described_by:
        return summarise(part)
    module, _, function = entry.kind.described_by.partition(":")
    return str(getattr(import_module(module), function)(entry.name))


def summarise(part: object) -> str:
    """One line that says what a part is: its ``summary``, or the first line of its docstring.

    Of a group of commands it is what its help says.
    """
    told = (_own(part, "summary", None), getattr(_own(part, "info", None), "help", None))
    text = next((one for one in told if isinstance(one, str)), inspect.getdoc(part) or "")
    return printable(text.partition("\n")[0])


def _own(part: object, name: str, missing: Any) -> Any:
    """An attribute of a part, of a class one that it does not inherit."""
    return (vars(part).get if isinstance(part, type) else partial(getattr, part))(name, missing)


def _read_summary(entry: Entry) -> str | None:
    """What ``summarise`` says of a part of ours, by its source; None where that does not tell."""
    if entry.kind.aliased or entry.rivals or not entry.own:
        return None
    kind = sources.class_at(entry.value)
    text = (sources.text_of(kind, "summary") or ast.get_docstring(kind)) if kind else None
    return None if text is None else text.partition("\n")[0]


def _owner(point: EntryPoint) -> str:
    """The name of the distribution that an entry point comes from."""
    return shown_name(point.dist.name or "unknown") if point.dist else "unknown"
