"""The contract of a search space."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import FiniteSpace, SearchSpace, load_space
from nasbench_suite.testing.base import Contract, global_generators_at


def _shown(value: object) -> str:
    """What a test of this value is called, the same in every process."""
    return "an object" if type(value) is object else repr(value)


class SpaceContract(Contract):
    """What methods, benchmarks and reports rely on in every search space.

    Attributes:
        names: of the spaces.
        samples: how many architectures are drawn for each test.
        pruning: spaces that drop what a change leaves without use, as NAS-Bench-101 does; there a
            step back may be more than one change, and a mutant no neighbour.
    """

    pruning: ClassVar[Sequence[str]] = ()

    samples: ClassVar[int] = 30

    def drawn(self, space: SearchSpace, seed: int = 0) -> list[Any]:
        """Architectures drawn at random."""
        rng = np.random.default_rng(seed)
        return [space.sample(rng) for _ in range(self.samples)]

    def test_it_has_one_name(self, name: str) -> None:
        """That it is registered under; its aliases find it too, and it says what it is."""
        space = load_space(name)
        assert space.name == name
        for alias in space.aliases:
            assert load_space(alias) is space, f"alias {alias} finds another space"
        assert type(space).__doc__, "it has no docstring"

    def test_it_is_made_anew_in_another_process(self, name: str) -> None:
        """Pickled as its name is, and drawing the same there."""
        space = load_space(name)
        again = pickle.loads(pickle.dumps(space))
        assert self.drawn(again) == self.drawn(space)

    def test_drawing_depends_on_the_generator_alone(self, name: str) -> None:
        """Equal generators draw equally; not all draws are one architecture."""
        space = load_space(name)
        with global_generators_at(1):
            first = self.drawn(space)
        with global_generators_at(2):
            second = self.drawn(space)
        assert first == second, "equal generators draw different architectures"
        assert space.size == 1 or len(set(first)) > 1, "every draw is the same architecture"

    def test_what_is_drawn_is_read_and_written(self, name: str) -> None:
        """An architecture, its string and what is read of that string are one."""
        space = load_space(name)
        for architecture in self.drawn(space):
            hash(architecture)
            assert space.read(architecture) == architecture
            text = space.string(architecture)
            assert isinstance(text, str)
            assert text
            assert space.read(text) == architecture, f"{text} is read as another architecture"
            assert space.string(text) == text

    @pytest.mark.parametrize(
        "nonsense", ["no architecture", "", None, -1, 0.5, True, (), ("a",), object()], ids=_shown
    )
    def test_nonsense_is_refused(self, name: str, nonsense: Any) -> None:
        """In one sentence."""
        with pytest.raises(SuiteError):
            load_space(name).read(nonsense)

    def test_neighbours_are_mutual(self, name: str) -> None:
        """An architecture is a neighbour of its neighbours, never of itself, and each is once."""
        space = load_space(name)
        rng = np.random.default_rng(1)
        for architecture in self.drawn(space)[:5]:
            near = [space.read(_plain(one)) for one in space.neighbours(architecture)]
            assert architecture not in near, "an architecture is its own neighbour"
            assert len(set(near)) == len(near), "a neighbour is named twice"
            for one in [near[int(i)] for i in rng.integers(len(near), size=min(3, len(near)))]:
                if name in self.pruning:
                    continue
                back = [space.read(_plain(other)) for other in space.neighbours(one)]
                assert architecture in back, "a neighbour does not know its neighbour"

    def test_a_mutant_is_a_neighbour(self, name: str) -> None:
        """Drawn by the generator given, and not the architecture itself."""
        space = load_space(name)
        for number, architecture in enumerate(self.drawn(space)):
            with global_generators_at(1):
                mutant = space.mutate(architecture, np.random.default_rng(number))
            with global_generators_at(2):
                assert mutant == space.mutate(architecture, np.random.default_rng(number))
            assert space.read(mutant) == mutant
            assert mutant != architecture, "a mutation changed nothing"
            if number < 5 and name not in self.pruning:
                near = [space.read(_plain(one)) for one in space.neighbours(architecture)]
                assert mutant in near, "a mutant is no neighbour"

    def test_a_child_is_an_architecture(self, name: str) -> None:
        """Of the space; of twice the same parent, that parent."""
        space = load_space(name)
        first, second = self.drawn(space), self.drawn(space, 1)
        for number, (one, other) in enumerate(zip(first, second, strict=True)):
            child = space.crossover(one, other, np.random.default_rng(number))
            assert space.read(child) == child
            assert child == space.crossover(one, other, np.random.default_rng(number))
            assert space.crossover(one, one, np.random.default_rng(number)) == one

    def test_canonical_keys_are_of_the_architecture(self, name: str) -> None:
        """Hashable, and the same however the architecture is given."""
        space = load_space(name)
        for architecture in self.drawn(space):
            key = space.canonical(architecture)
            hash(key)
            assert key == space.canonical(space.string(architecture))
            assert isinstance(space.is_connected(architecture), bool)

    def test_features_are_numbers(self, name: str) -> None:
        """In every encoding: as many for each architecture, whatever stands beside it."""
        space = load_space(name)
        drawn = self.drawn(space)
        for encoding in space.encodings:
            features = space.features(drawn, encoding)
            assert features.shape == (len(drawn), features.shape[1])
            assert features.dtype == np.float64
            assert np.isfinite(features).all()
            assert np.array_equal(space.features(drawn[3:4], encoding), features[3:4])
        with pytest.raises(SuiteError):
            space.features(drawn, "no such encoding")

    def test_a_listed_space_is_numbered(self, name: str) -> None:
        """Indices from 0 to size - 1, each with one string."""
        space = load_space(name)
        if not isinstance(space, FiniteSpace):
            pytest.skip("the space is not listed")
        last = space.size - 1
        assert space.read(0) == 0
        assert space.read(last) == last
        with pytest.raises(SuiteError):
            space.read(space.size)
        chosen = np.unique(np.linspace(0, last, self.samples).astype(int)).tolist()
        assert space.indices([space.string(index) for index in chosen]).tolist() == chosen
        assert len({space.string(index) for index in chosen}) == len(chosen)


def _plain(architecture: Any) -> Any:
    """A NumPy integer as Python's."""
    return architecture.item() if isinstance(architecture, np.generic) else architecture
