"""Parts that break their contract, each in one way; what is sound in them stands in the bases."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nasbench_suite.benchmarks.formats import BenchmarkFormat
from nasbench_suite.benchmarks.table_file import read_benchmark, write_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.predictors import Prediction, Predictor
from nasbench_suite.predictors.predictor import undeviating
from nasbench_suite.proxies import Proxy, Subject
from nasbench_suite.runner.executors import Resources, ThisProcess
from nasbench_suite.spaces import FiniteProductSpace, ProductSpace, load_finite_space
from nasbench_suite.tasks import Method
from nasbench_suite.testing import toy_benchmark

# -- methods ---------------------------------------------------------------------------------------


@dataclass
class Sound(Method):
    """A random walk with a checkpoint, for any number of objectives."""

    multi_objective: ClassVar[bool] = True
    restarts: int = 3

    def start(self, session):
        self.here = session.space.sample(session.rng)

    def step(self, session):
        session.evaluate_all(self.here)
        self.here = session.space.mutate(self.here, session.rng)

    def checkpoint(self):
        return str(self.here).encode()

    def restore(self, state):
        self.here = int(state)


@dataclass
class Undescribed(Sound):
    pass


Undescribed.__doc__ = "Undescribed(restarts: 'int' = 3)"


@dataclass
class Unwritable(Sound):
    """Settings that JSON changes."""

    steps: tuple[int, ...] = (1, 2)


@dataclass
class Misspelt(Sound):
    """Its beginning is said by a setting that it has not."""

    begins_with: ClassVar[str] = "restart"


@dataclass
class Global(Sound):
    """Draws from NumPy's generator of the whole process."""

    def step(self, session):
        session.evaluate_all(np.random.randint(session.space.size))  # noqa: NPY002


@dataclass
class GlobalPython(Sound):
    """Draws from Python's generator of the whole process."""

    def step(self, session):
        session.evaluate_all(random.randrange(session.space.size))


@dataclass
class Sharing(Sound):
    """Keeps what it has seen in its class."""

    seen: ClassVar[list[int]] = []

    def step(self, session):
        super().step(session)
        self.seen.append(self.here)
        self.here = (self.here + len(self.seen)) % session.space.size


@dataclass
class Remembering(Sound):
    """Goes on where it was when it starts again."""

    memory: Any = field(default=None, init=False)

    def start(self, session):
        super().start(session)
        self.here = self.here if self.memory is None else self.memory

    def step(self, session):
        super().step(session)
        Remembering.kept = self.memory = self.here


@dataclass
class Forgetting(Sound):
    """A checkpoint that lacks where it is."""

    def checkpoint(self):
        return b"7"


@dataclass
class Pickling(Sound):
    """A checkpoint that is a pickle."""

    def checkpoint(self):
        import pickle

        return pickle.dumps(self.here)

    def restore(self, state):
        import pickle

        self.here = pickle.loads(state)


@dataclass
class Brittle(Sound):
    """Fails with some settings, in the middle of the search."""

    def step(self, session):
        super().step(session)
        if self.restarts == 1:
            raise AttributeError("not fitted")


@dataclass
class Late(Sound):
    """Refuses its settings after the search has begun."""

    def step(self, session):
        super().step(session)
        if self.restarts == 1:
            raise SuiteError("One restart is too few.")


@dataclass
class SingleMinded(Sound):
    """Says that it handles several objectives, and does not."""

    def step(self, session):
        if session.objectives > 1:
            raise ValueError("one objective")
        super().step(session)


# -- spaces ----------------------------------------------------------------------------------------


class Letters(ProductSpace):
    """Three letters of a, b and c."""

    name = "letters"
    choices = (3, 3, 3)

    def format(self, form):
        return "".join("abc"[option] for option in form)

    def parse(self, string):
        if len(string) != 3 or set(string) - set("abc"):
            raise SuiteError(f"Malformed letters {string!r}: write three of a, b and c, as abc.")
        return tuple(map("abc".index, string))


class Misnamed(Letters):
    """Registered under another name."""


class Undescribedspace(Letters):
    name = "undescribedspace"


class Drifting(Letters):
    """Draws from the generator of the process."""

    name = "drifting"

    def sample(self, rng):
        return tuple(np.random.randint(3, size=3).tolist())  # noqa: NPY002


class Constant(Letters):
    """Draws one architecture for ever."""

    name = "constant"

    def sample(self, rng):
        return (0, 1, 2)


class Reversing(Letters):
    """Reads its strings backwards."""

    name = "reversing"

    def parse(self, string):
        return super().parse(string)[::-1]


class Credulous(Letters):
    """Takes anything for an architecture."""

    name = "credulous"

    def check(self, value):
        return value


class SelfSame(Letters):
    """Names an architecture among its own neighbours."""

    name = "selfsame"

    def neighbours(self, architecture):
        return [*super().neighbours(architecture), architecture]


class OneWay(Letters):
    """Neighbours in one direction alone."""

    name = "oneway"

    def neighbours(self, architecture):
        one = self.read(architecture)
        return [(*one[:i], (one[i] + 1) % 3, *one[i + 1 :]) for i in range(3)]


class Leaping(Letters):
    """Mutates two letters at once."""

    name = "leaping"

    def mutate(self, architecture, rng):
        once = super().mutate(architecture, rng)
        return (*once[:2], (once[2] + 1) % 3)


class Still(Letters):
    """Mutates into what was there before."""

    name = "still"

    def mutate(self, architecture, rng):
        return architecture


class Stranger(Letters):
    """Breeds children of another kind."""

    name = "stranger"

    def crossover(self, one, other, rng):
        return tuple((a + 1) % 3 for a in one)


class Unhashable(Letters):
    """Gives canonical keys that no dictionary takes."""

    name = "unhashable"

    def canonical_key(self, form):
        return list(form)


class Relative(Letters):
    """Features that depend on what stands beside."""

    name = "relative"

    def encode(self, architectures, encoding):
        features = super().encode(architectures, encoding)
        return features - features.mean(axis=0)


class Infinite(Letters):
    """Features that are no numbers."""

    name = "infinite"

    def encode(self, architectures, encoding):
        return super().encode(architectures, encoding) / 0.0


class Doubled(FiniteProductSpace):
    """Two indices with one string."""

    name = "doubled"
    choices = (3, 3)

    def format(self, form):
        return f"{form[0]}{min(form[1], 1)}"

    def parse(self, string):
        try:
            return tuple(map(int, string))
        except ValueError:
            raise SuiteError(f"Malformed {string!r}: write two digits.") from None


# -- methods with a supernet -----------------------------------------------------------------------


@dataclass
class SoundSupernet(Method):
    """Three epochs of a supernet that is one number."""

    def start(self, session):
        import torch

        self.torch = torch
        self.generator = torch.Generator().manual_seed(int(session.rng.integers(2**31)))
        self.epoch = 0

    def draw(self):
        return self.torch.rand(1, generator=self.generator).item()

    def step(self, session):
        self.epoch += 1
        session.log(self.epoch, loss=self.draw())
        session.recommend(session.space.sample(session.rng))

    @property
    def finished(self):
        return self.epoch == 3

    def checkpoint(self):
        return bytes([self.epoch]) + self.generator.get_state().numpy().tobytes()

    def restore(self, state):
        self.epoch = state[0]
        self.generator.set_state(self.torch.tensor(list(state[1:]), dtype=self.torch.uint8))


@dataclass
class GlobalSupernet(SoundSupernet):
    """Draws from torch's global generator."""

    def draw(self):
        return self.torch.rand(1).item()


@dataclass
class SilentSupernet(SoundSupernet):
    """Logs nothing."""

    def step(self, session):
        self.epoch += 1
        session.recommend(session.space.sample(session.rng))


@dataclass
class ForgettingSupernet(SoundSupernet):
    """Goes on with another generator."""

    def restore(self, state):
        self.epoch = state[0]


@dataclass
class SeedlessSupernet(SoundSupernet):
    """The same supernet whatever the seed."""

    def draw(self):
        return float(self.epoch)


@dataclass
class TopologySupernet(SoundSupernet):
    """Recommends an index of one space in every space."""

    def step(self, session):
        self.epoch += 1
        session.recommend(self.epoch)


# -- proxies, executors, formats -------------------------------------------------------------------


class Length(Proxy):
    """A sound one: the sum of the choices."""

    def score(self, subject: Subject) -> float:
        return float(sum(subject.space.vector(subject.architecture)))


class Flat(Length):
    """One score for all."""

    def score(self, subject):
        return 1.0


class Missing(Length):
    """Scores that are not a number."""

    def score(self, subject):
        return super().score(subject) if subject.architecture % 2 else float("nan")


class Counting(Length):
    """Scores by the order of the calls."""

    def __init__(self):
        self.calls = 0

    def score(self, subject):
        self.calls += 1
        return super().score(subject) + self.calls


class _Executor:
    def outcomes(self, plans, jobs):
        yield from ThisProcess().outcomes(plans, jobs)


class _Losing(_Executor):
    def outcomes(self, plans, jobs):
        yield from list(super().outcomes(plans, jobs))[1:]


class _Reseeding(_Executor):
    def outcomes(self, plans, jobs):
        import dataclasses

        for job in jobs:
            other = dataclasses.replace(job, seed=job.seed + 2)
            for _, outcome in super().outcomes(plans, [other]):
                yield job, outcome


def losing(resources: Resources):
    """Loses an outcome."""
    return _Losing()


def reseeding(resources: Resources):
    """Runs other seeds than it was told."""
    return _Reseeding()


class Plain(BenchmarkFormat):
    """A sound one: a file of the suite behind four letters."""

    magic = b"TOYS"

    def recognise(self, source):
        try:
            with Path(source).open("rb") as file:
                return "plain" if file.read(4) == self.magic else None
        except OSError:
            return None

    def read(self, source, *, space=None, progress=None):
        content = Path(source).read_bytes()
        if content[:4] != self.magic:
            raise SuiteError(f"{source} is no file of toys: give another.")
        inner = Path(source).with_suffix(".inner")
        inner.write_bytes(content[4:])
        return read_benchmark(inner)


class Greedy(Plain):
    """Takes every file for its own."""

    def recognise(self, source):
        return "greedy"


class Raising(Plain):
    """Raises where it should say no."""

    def recognise(self, source):
        return "plain" if Path(source).read_bytes()[:4] == self.magic else None


class Careless(Plain):
    """Unpickles what it is given."""

    def read(self, source, *, space=None, progress=None):
        import pickle

        content = Path(source).read_bytes()
        if content[:4] != self.magic:
            pickle.loads(content)
        return super().read(source)


class Noisy(Plain):
    """Reads other figures each time."""

    def read(self, source, *, space=None, progress=None):
        self.reads = getattr(type(self), "reads", 0) + 1
        type(self).reads = self.reads
        return toy_benchmark(load_finite_space("nasbench-macro"), self.reads)


def write_plain(folder: Path) -> Path:
    """A file of ``Plain``."""
    inner = folder / "whole.parquet"
    write_benchmark(toy_benchmark(load_finite_space("nasbench-macro")), inner)
    (folder / "toys.bin").write_bytes(Plain.magic + inner.read_bytes())
    return folder / "toys.bin"


# -- predictors ------------------------------------------------------------------------------------


@dataclass
class Linear(Predictor):
    """A sound one: the line of least squares through one-hot features."""

    def learn(self, known, values, rng):
        features = known.features("one-hot")
        self.middle = values.mean()
        ridge = features.T @ features + np.eye(features.shape[1])
        self.weights = np.linalg.solve(ridge, features.T @ (values - self.middle))

    def predict(self, asked):
        return undeviating(self.middle + asked.features("one-hot") @ self.weights)


@dataclass
class Backward(Linear):
    """The worst first."""

    def predict(self, asked):
        return undeviating(-super().predict(asked).mean)


@dataclass
class Moody(Linear):
    """Noise from NumPy's global generator."""

    def predict(self, asked):
        return undeviating(super().predict(asked).mean + np.random.normal())  # noqa: NPY002


@dataclass
class Certain(Linear):
    """Deviations below zero."""

    def predict(self, asked):
        mean = super().predict(asked).mean
        return Prediction(mean, np.full(len(mean), -1.0))


@dataclass
class Placed(Linear):
    """What stands first is thought best."""

    def predict(self, asked):
        return undeviating(super().predict(asked).mean - np.arange(len(asked)))


@dataclass
class Forgetful(Linear):
    """An update makes it forget."""

    def update(self, more, values, rng):
        self.weights[:] = 0
