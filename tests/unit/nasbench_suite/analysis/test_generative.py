"""The figures of generative models, on models made by hand whose figures are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from nasbench_suite.analysis.generative import (
    ACTIVE_VARIANCE,
    CellReader,
    Generation,
    default_groups,
    generation,
    latent_use,
    prediction_curve,
    reconstruction,
    score_model,
    smoothness,
    split_by_class,
)
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_space

SPACE = load_space("nats-tss")
CELLS = SPACE.all_vectors.astype(np.int64)
FEW = CELLS[:200]


class Rounding:
    """The latent is the vector itself, and decoding rounds it: what is not noise comes back."""

    def __init__(self, log_variance: float = -40.0) -> None:
        self.log_variance = log_variance

    def encode(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return cells.astype(float), np.full(cells.shape, self.log_variance)

    def decode(self, latents: np.ndarray, rng: np.random.Generator | None = None) -> Any:
        return np.clip(np.rint(latents), 0, 4).astype(int)

    def sample(self, count: int, rng: np.random.Generator) -> Any:
        return rng.integers(5, size=(count, 6))


class Representing(Rounding):
    """Right about the graph, wrong about the string: decodes to the first twin, as an index."""

    def decode(self, latents: np.ndarray, rng: np.random.Generator | None = None) -> Any:
        indices = SPACE.indices(super().decode(latents))
        return SPACE.representatives[SPACE.classes[indices]].tolist()


class FirstEdgeWrong(Rounding):
    """Wrong about the edge into node 1, always; by a string, if asked."""

    def decode(self, latents: np.ndarray, rng: np.random.Generator | None = None) -> Any:
        cells = super().decode(latents)
        cells[:, 0] = (cells[:, 0] + 1) % 5
        return [SPACE.string(tuple(cell)) for cell in cells.tolist()]


class Coin(Rounding):
    """Greedy it is right; drawn, every other cell comes out as nonsense."""

    def decode(self, latents: np.ndarray, rng: np.random.Generator | None = None) -> Any:
        cells = super().decode(latents)
        if rng is not None:
            cells[rng.random(len(cells)) < 0.5, 3] = -1
        return cells


class Saying(Rounding):
    """Samples what it was told to."""

    def __init__(self, said: list[Any]) -> None:
        super().__init__()
        self.said = said

    def sample(self, count: int, rng: np.random.Generator) -> Any:
        return self.said


def reader() -> CellReader:
    return CellReader(SPACE)


# -- the split ---------------------------------------------------------------------------------


def test_twins_do_not_straddle_the_split() -> None:
    train, held_out = split_by_class(SPACE.classes, 0.1, seed=3)
    assert not set(SPACE.classes[train]) & set(SPACE.classes[held_out])
    assert_array_equal(np.sort(np.concatenate([train, held_out])), np.arange(SPACE.size))
    assert len(set(SPACE.classes[held_out])) == 647  # a tenth of 6,466


def test_the_split_follows_its_seed() -> None:
    one, other = (split_by_class(SPACE.classes, 0.1, seed)[1] for seed in (0, 0))
    assert_array_equal(one, other)
    assert set(one) != set(split_by_class(SPACE.classes, 0.1, seed=1)[1])


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 0.99, float("nan"), float("inf")])
def test_a_split_that_leaves_nothing_is_refused(share: float) -> None:
    with pytest.raises(SuiteError, match="held out"):
        split_by_class(np.arange(10), share)


# -- reconstruction ------------------------------------------------------------------------------


def test_what_comes_back_is_counted_right() -> None:
    found = reconstruction(Rounding(), reader(), CELLS)
    assert (found.string, found.graph, found.edge, found.node, found.valid) == (1, 1, 1, 1, 1)


def test_the_right_graph_in_the_wrong_string_counts_as_a_graph_alone() -> None:
    found = reconstruction(Representing(), reader(), CELLS)
    assert found.graph == 1.0
    assert found.string == pytest.approx(6466 / 15625)


def test_edges_and_nodes_are_counted_apart() -> None:
    found = reconstruction(FirstEdgeWrong(), reader(), FEW)
    assert found.string == 0.0
    assert found.edge == pytest.approx(5 / 6)
    assert found.node == pytest.approx(2 / 3)  # node 1 is wrong, nodes 2 and 3 are right
    # A dead first edge may be any: such cells keep their graph.
    changed = FEW.copy()
    changed[:, 0] = (changed[:, 0] + 1) % 5
    same = [SPACE.canonical(a) == SPACE.canonical(b) for a, b in zip(FEW, changed, strict=True)]
    assert found.graph == pytest.approx(np.mean(same))


def test_an_invalid_cell_is_wrong_altogether() -> None:
    rng = np.random.default_rng(0)
    greedy = reconstruction(Coin(), reader(), FEW)
    drawn = reconstruction(Coin(), reader(), FEW, encodings=10, decodings=10, rng=rng)
    assert greedy.string == 1.0
    for share in (drawn.string, drawn.graph, drawn.edge, drawn.node, drawn.valid):
        assert share == pytest.approx(0.5, abs=0.015)  # 20,000 coins: standard error 0.0035


def test_sampled_reconstruction_has_the_noise_of_the_posterior() -> None:
    from scipy.stats import norm

    deviation = 0.4
    cells = np.full((300, 6), 2)  # in the middle, where rounding errs on both sides
    rng = np.random.default_rng(0)
    model = Rounding(2 * np.log(deviation))
    found = reconstruction(model, reader(), cells, encodings=10, decodings=10, rng=rng)
    right = norm.cdf(0.5 / deviation) - norm.cdf(-0.5 / deviation)
    assert found.edge == pytest.approx(right, abs=0.01)
    assert found.string == pytest.approx(right**6, abs=0.02)


def test_sampling_without_a_generator_is_refused() -> None:
    with pytest.raises(SuiteError, match="generator"):
        reconstruction(Rounding(), reader(), FEW, encodings=10)


# -- generation ----------------------------------------------------------------------------------


def test_validity_uniqueness_and_novelty_of_a_known_sample() -> None:
    twins = np.flatnonzero(SPACE.classes == SPACE.classes[0])
    one, twin = SPACE.string(0), SPACE.string(int(twins[1]))
    other = SPACE.string(int(SPACE.representatives[-1]))
    said = [one, one, twin, other, "|nonsense|", None]
    found = generation(Saying(said), reader(), CELLS[[0]], len(said), rng=np.random.default_rng(0))
    assert found.valid == pytest.approx(4 / 6)
    assert found.unique_strings == pytest.approx(3 / 4)
    assert found.unique_graphs == pytest.approx(2 / 4)
    assert found.novel_strings == pytest.approx(2 / 4)
    assert found.novel_graphs == pytest.approx(1 / 4)


def test_a_uniform_sampler_is_as_unique_as_expected() -> None:
    found = generation(Rounding(), reader(), FEW, 10_000, rng=np.random.default_rng(0))
    assert found.valid == 1.0
    assert found.unique_strings == pytest.approx(found.expected_unique_strings, abs=0.01)
    assert found.novel_strings == pytest.approx(1 - 200 / 15625, abs=0.005)


def test_nothing_valid_leaves_the_rest_undefined() -> None:
    found = generation(Saying([None] * 3), reader(), FEW, 3, rng=np.random.default_rng(0))
    assert found.valid == 0.0
    assert np.isnan(found.unique_strings)


def test_too_few_samples_are_noticed() -> None:
    with pytest.raises(SuiteError, match="2 cells where 3"):
        generation(Saying([None] * 2), reader(), FEW, 3, rng=np.random.default_rng(0))


# -- use of the latent space ---------------------------------------------------------------------


def test_divergence_and_active_units_in_closed_form() -> None:
    class Known(Rounding):
        def encode(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            spread = np.where(np.arange(len(cells)) % 2, 1.0, -1.0)
            mean = np.stack([3.0 * spread, np.zeros(len(cells)), np.ones(len(cells))], axis=1)
            return mean, np.tile(np.log([0.01, 1.0, 1.0]), (len(cells), 1))

    found = latent_use(Known(), FEW)
    assert_allclose(found.kl_by_unit, [0.5 * (9 + 0.01 - 1 - np.log(0.01)), 0.0, 0.5])
    assert found.kl == pytest.approx(found.kl_by_unit.sum())
    assert found.active_units == 1  # a mean that never varies says nothing, wherever it is
    assert found.dimensions == 3
    assert ACTIVE_VARIANCE == 0.01


# -- smoothness ----------------------------------------------------------------------------------


def test_a_line_between_two_known_cells() -> None:
    cells = np.array([[0, 0, 0, 0, 0, 0], [4, 0, 0, 0, 0, 2]])
    values = {tuple(cell): float(sum(cell)) for cell in CELLS.tolist()}
    found = smoothness(
        Rounding(),
        reader(),
        cells,
        rng=np.random.default_rng(0),
        values=values,
        paths=4,
        steps=102,
    )
    # 4 roundings of one choice and 2 of another on the way, where 2 edits would do; the one at
    # 1/4 and 3/4 of the way is between steps, as is each other, and none coincide.
    assert found.edit_distance == pytest.approx(6 / 101)
    assert found.excess_edits == pytest.approx(3.0)
    assert found.valid == 1.0
    figures = np.array(list(values.values()))
    spread = np.abs(figures[:, None] - np.random.default_rng(1).choice(figures, 2000)).mean()
    assert found.value_change == pytest.approx(6 / 101 / spread, rel=0.03)


def test_a_great_circle_keeps_its_radius() -> None:
    class Watching(Rounding):
        def decode(self, latents: np.ndarray, rng: np.random.Generator | None = None) -> Any:
            radius = np.linalg.norm(latents, axis=1)
            assert_allclose(radius, radius[0])
            assert_allclose(latents[0], latents[-1], atol=1e-9)
            return super().decode(latents)

    found = smoothness(
        Watching(), reader(), FEW, rng=np.random.default_rng(0), path="great-circle", paths=3
    )
    assert 0 < found.edit_distance <= 6
    assert np.isnan(found.value_change)


def test_an_unknown_path_is_refused() -> None:
    with pytest.raises(SuiteError, match="line"):
        smoothness(
            Rounding(),
            reader(),
            FEW,
            rng=np.random.default_rng(0),
            path="spiral",  # type: ignore[arg-type]
        )


# -- prediction ----------------------------------------------------------------------------------


@pytest.mark.parametrize("predictor", ["gp", "linear"])
def test_a_linear_figure_is_predicted_exactly(predictor: Any) -> None:
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(400, 3))
    values = latents @ [3.0, -2.0, 1.0] + 7.0
    table = prediction_curve(
        latents, values, [50, 100], rng=rng, predictor=predictor, repeats=2, test_size=200
    )
    assert list(table["train_size"]) == [50, 50, 100, 100]
    assert (table["rmse"] < 0.05).all()
    assert (table["pearson"] > 0.999).all()
    assert (table["kendall"] > 0.98).all()


def test_noise_is_not_predicted() -> None:
    rng = np.random.default_rng(0)
    latents, values = rng.normal(size=(600, 4)), rng.normal(size=600)
    table = prediction_curve(latents, values, [100], rng=rng, repeats=3)
    assert (table["pearson"].abs() < 0.2).all()
    assert (table["rmse"] > 0.9).all()


def test_twins_of_labelled_cells_are_not_tested_on() -> None:
    """A predictor that knows its class by heart is worth nothing on others."""
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(200), 3)
    latents = rng.normal(size=(200, 40))[classes]
    values = rng.normal(size=200)[classes]
    leaking = prediction_curve(latents, values, [300], rng=rng, repeats=2)
    honest = prediction_curve(latents, values, [300], rng=rng, repeats=2, classes=classes)
    assert (leaking["pearson"] > 0.6).all()
    assert (honest["pearson"].abs() < 0.4).all()


# -- bad models ----------------------------------------------------------------------------------


def test_what_cannot_be_scored_is_said() -> None:
    class Mute:
        pass

    with pytest.raises(SuiteError, match="encode, decode and sample"):
        score_model(Mute(), SPACE, FEW, FEW)  # type: ignore[arg-type]


def test_a_diverged_encoder_is_said() -> None:
    class Diverged(Rounding):
        def encode(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.full(cells.shape, np.nan), np.zeros(cells.shape)

    with pytest.raises(SuiteError, match="diverged"):
        reconstruction(Diverged(), reader(), FEW)


def test_cells_that_are_no_integers_are_said() -> None:
    class Floating(Rounding):
        def decode(self, latents: np.ndarray, rng: np.random.Generator | None = None) -> Any:
            return latents

    with pytest.raises(SuiteError, match="integers"):
        reconstruction(Floating(), reader(), FEW)


def test_all_figures_follow_the_seed() -> None:
    model = Rounding(-1.0)
    one, again = (score_model(model, SPACE, CELLS[200:], FEW, seed=5) for _ in range(2))
    assert one.sampled == again.sampled
    assert one.generation == again.generation
    assert isinstance(one.generation, Generation)
    assert one.sampled != score_model(model, SPACE, CELLS[200:], FEW, seed=6).sampled


def test_nodes_of_a_space_without_cells_are_its_choices() -> None:
    assert default_groups(load_space("nats-sss")) == [[0], [1], [2], [3], [4]]
    assert default_groups(SPACE) == [[0], [1, 2], [3, 4, 5]]
