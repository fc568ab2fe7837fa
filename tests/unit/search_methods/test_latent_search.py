"""Search by decoding: how architectures are written, the auto-encoder, and the search."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nasbench_suite.benchmarks import Metric
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import Trial
from nasbench_suite.spaces import load_space
from nasbench_suite.tasks import make_task
from nasbench_suite.testing import Computed
from search_methods.graph_vae.wording import wording
from search_methods.initial_designs import diverse
from search_methods.latent_search import LatentSearch

QUICK: dict[str, Any] = {"samples": 300, "epochs": 2, "num_children": 20, "generations": 2}


def layers() -> Computed:
    """FBNet's networks, better the more layers have the fourth block."""
    space = load_space("fbnet")
    metrics = [
        Metric("made_valid_9", dataset="made", split="valid", epochs=9),
        Metric("made_test_9", dataset="made", split="test", epochs=9),
    ]
    return Computed("layers", space, metrics, lambda one, _: 50.0 + space.vector(one).count(3))


def search(**settings: Any) -> Trial:
    trial = Trial(make_task(layers(), evaluations=40), LatentSearch(**settings), 0)
    trial.advance()
    return trial


@pytest.mark.parametrize("name", ["nasbench101", "darts", "mnasnet", "fbnet", "nats-tss"])
def test_architectures_are_read_back_from_what_is_written(name: str) -> None:
    space, rng = load_space(name), np.random.default_rng(0)
    words = wording(space)
    drawn = [space.sample(rng) for _ in range(50)]
    cells = words.write(drawn)
    assert cells.shape == (50, len(words.options))
    assert (cells < words.options).all()
    for architecture, cell in zip(drawn, cells.tolist(), strict=True):
        assert space.canonical(words.read(cell)) == space.canonical(architecture)
        assert words.canonical(words.vector(cell)) == space.canonical(architecture)


def test_small_modules_are_vectors_too_and_what_is_no_module_is_none() -> None:
    words = wording(load_space("nasbench101"))
    (small,) = words.write(["011001000 input,maxpool3x3,output"]).tolist()
    assert small[-5:] == [3, 0, 0, 0, 0]
    assert words.canonical(small) == "6f6257bc3b12d87b8736e81cd4b7ed8b"
    nothing = [0] * len(small)
    dangling = small.copy()
    dangling[-5:] = [0] * 5  # its edges lead to a vertex that is not there
    for cell in (nothing, dangling, [1] * len(small)):
        assert words.read(cell) is None
        with pytest.raises(SuiteError, match="is no architecture of space 'nasbench101'"):
            words.vector(cell)


def test_an_auto_encoder_gives_choices_back() -> None:
    pytest.importorskip("torch")
    from search_methods.graph_vae.choice_vae import train_choices
    from search_methods.graph_vae.training import Recipe

    space = load_space("nats-tss")
    recipe = Recipe(epochs=10, learning_rate=5e-3, beta=0.003)
    model, _ = train_choices(space, samples=3000, recipe=recipe)
    cells = wording(space).sample(500, np.random.default_rng(9))
    mean, _ = model.encode(cells)
    assert (model.decode(mean) == cells).all(axis=1).mean() > 0.9


@pytest.mark.parametrize("proposals", ["both", "mutants"])
def test_nothing_is_evaluated_twice_and_the_search_climbs(proposals: str) -> None:
    pytest.importorskip("torch")
    trial = search(proposals=proposals, **QUICK)
    found = trial.session.record()
    assert len(np.unique(found.architectures)) == 40
    first, last = found.signals[:10, 0].mean(), found.signals[-10:, 0].mean()
    assert last > first + 2  # of 22 layers, 2.4 have the block by chance


def test_features_and_mutants_need_no_auto_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    trial = search(embedding="features", proposals="mutants")
    assert trial.session.record().signals[:, 0].max() > 57


def test_tables_and_spaces_without_choices_are_refused() -> None:
    pool = layers().pool(
        [layers().space.string((k,) * 22) for k in range(9)], ["made_valid_9", "made_test_9"]
    )
    with pytest.raises(SuiteError, match="this table has 9 alone: search what answers"):
        LatentSearch().refuse(make_task(pool, evaluations=5))
    without = SimpleNamespace(name="graphs", choices=())
    with pytest.raises(SuiteError, match="no vectors of choices that a decoder could write"):
        wording(without)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"generations": 0}, "generations=0: give 1 or more"),
        ({"initial": "best"}, "Unknown initial queries 'best': choose 'random' or 'diverse'"),
        ({"embedding": "graph"}, "Unknown embedding 'graph'"),
        ({"proposals": "none"}, "Unknown proposals 'none'"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(SuiteError, match=said):
        LatentSearch(**settings)


@pytest.mark.parametrize("name", ["nats-tss", "fbnet", "nasbench101"])
def test_diverse_architectures_are_farther_apart_than_random_ones(name: str) -> None:
    space, rng = load_space(name), np.random.default_rng(0)

    def nearest(architectures: list[Any]) -> float:
        features = space.features(architectures, space.encodings[0])
        distances = np.abs(features[:, None] - features).sum(axis=2)
        return float((distances + 1e9 * np.eye(len(features))).min(axis=1).mean())

    found = diverse(space, 8, rng)
    assert len(set(found)) == 8
    assert nearest(found) > nearest([space.sample(rng) for _ in range(8)])
