"""Predictors against other libraries and brute force; that they learn is in their contract."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from importlib.util import find_spec

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nasbench_suite import registry
from nasbench_suite.errors import SuiteError
from nasbench_suite.predictors import Examples, Predictor, make_predictor, predictor_label
from nasbench_suite.spaces import PoolSpace, list_spaces, load_space
from nasbench_suite.spaces.graphs import OperationGraph
from search_methods.graph_vae.checkpoint import embedded_checkpoint
from search_methods.predictors.gaussian_process import GaussianProcess
from search_methods.predictors.gcn import GCNRanker
from search_methods.predictors.hamming_process import LENGTHS, NOISES, HammingProcess, differing
from search_methods.predictors.weisfeiler_lehman import WeisfeilerLehmanProcess, count_labels

TSS = load_space("nats-tss")


def some(number: int, seed: int = 0) -> Examples:
    return Examples(TSS, np.random.default_rng(seed).choice(TSS.size, number, replace=False))


def figures(examples: Examples) -> np.ndarray:
    vectors = TSS.vectors(examples.architectures)
    return 80 + 3 * (vectors == 3).sum(axis=1) - 2.0 * (vectors == 0).sum(axis=1)


# -- graphs --------------------------------------------------------------------------------------


def test_graphs_are_what_lives() -> None:
    text = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|"
    assert TSS.graph(text) == OperationGraph(
        ("input", "nor_conv_3x3", "skip_connect", "avg_pool_3x3", "output"),
        ((0, 1), (1, 2), (2, 3), (3, 4)),
    )
    dead = "|none~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"
    assert TSS.graph(dead) == OperationGraph(("input", "skip_connect", "output"), ((0, 1), (1, 2)))
    graph = load_space("nasbench-graph").graph("0121 gcn-gin-fc-cheb")
    assert graph.labels == ("input", "gcn", "gin", "cheb", "fc", "output")
    assert graph.edges == ((0, 1), (1, 2), (1, 3), (2, 4), (3, 5), (4, 5))


@pytest.mark.parametrize("name", list_spaces())
def test_every_space_has_graphs(name: str) -> None:
    space = load_space(name)
    rng = np.random.default_rng(0)
    graphs = {space.graph(space.sample(rng)) for _ in range(8)}
    assert len(graphs) > 1
    for graph in graphs:
        assert all(0 <= source < len(graph.labels) for edge in graph.edges for source in edge)
        reached = Counter(target for _, target in graph.edges)
        assert not [e for e in graph.edges if e[0] == e[1]]
        assert reached or len(graph.labels) == 2  # a cell through which nothing flows


def test_a_pool_has_the_graphs_of_its_space() -> None:
    pool = PoolSpace(TSS, [TSS.string(7), TSS.string(900)])
    assert pool.graph(1) == TSS.graph(900)


# -- Gaussian processes --------------------------------------------------------------------------


def test_the_gaussian_process_is_that_of_scikit_learn() -> None:
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import DotProduct, Matern, WhiteKernel

    known, asked = some(60), some(30, 1)
    values = figures(known) + np.random.default_rng(2).normal(size=60)
    process = GaussianProcess("one-hot")
    process.fit(known, values, np.random.default_rng(0))
    linear, matern, length, noise = np.exp(process.log_scales * [2, 2, 1, 2])
    kernel = linear * DotProduct(1e-8) + matern * Matern(length, nu=2.5) + WhiteKernel(noise + 1e-6)
    peer = GaussianProcessRegressor(kernel, optimizer=None, alpha=0.0)
    peer.fit(process.points, (values - values.mean()) / values.std())
    points = (asked.features("one-hot") - process.middle) / process.length
    mean, deviation = peer.predict(points, return_std=True)
    found = process.predict(asked)
    assert_allclose(found.mean, mean * values.std() + values.mean(), rtol=1e-6)
    of_values = np.sqrt(np.maximum(deviation**2 - noise - 1e-6, 1e-6))
    assert_allclose(found.deviation / values.std(), of_values, rtol=1e-3, atol=1e-5)


def test_the_hamming_process_is_the_conditional_of_a_joint_normal() -> None:
    known, asked = some(30), some(10, 1)
    vectors = TSS.vectors(known.architectures)
    among = differing(vectors, vectors)
    towards = differing(TSS.vectors(asked.architectures), vectors)
    assert among[3, 4] == (vectors[3] != vectors[4]).sum()
    targets = np.random.default_rng(0).normal(3, 2, size=30)
    process = HammingProcess()
    process.fit(known, targets, np.random.default_rng(0))
    mean, deviation = process.predict(asked)
    matches = []
    for length in LENGTHS:
        for noise in NOISES:
            k = np.exp(-among / length) + noise * np.eye(30)
            inverse = np.linalg.inv(k)
            m = inverse.sum(axis=0) @ targets / inverse.sum()
            scale = (targets - m) @ inverse @ (targets - m) / 30
            likelihood = -0.5 * (30 * np.log(scale) + np.linalg.slogdet(k)[1])
            cross = np.exp(-towards / length)
            expected = m + cross @ inverse @ (targets - m)
            variance = scale * (1 - np.einsum("ij,jk,ik->i", cross, inverse, cross))
            matches.append((likelihood, expected, variance))
    _, expected, variance = max(matches, key=lambda match: match[0])
    assert_allclose(mean, expected, rtol=1e-6)
    assert_allclose(deviation**2, variance, rtol=1e-6, atol=1e-9)


def test_weisfeiler_lehman_labels_are_those_of_networkx() -> None:
    networkx = pytest.importorskip("networkx")
    graphs = [TSS.graph(index) for index in range(0, 200, 5)]
    ours = [count_labels(graph, 2) for graph in graphs]
    # Its labels look along the edges alone: on edges both ways they are ours of such graphs.
    both = [OperationGraph(g.labels, g.edges + tuple((t, s) for s, t in g.edges)) for g in graphs]
    theirs = []
    for graph in both:
        made = networkx.DiGraph()
        made.add_nodes_from((n, {"label": label}) for n, label in enumerate(graph.labels))
        made.add_edges_from(graph.edges)
        hashes = networkx.weisfeiler_lehman_subgraph_hashes(made, node_attr="label", iterations=2)
        theirs.append(Counter(one[-1] for one in hashes.values()))
    same = [count_labels(graph, 2)[2] for graph in both]
    for one in range(len(graphs)):
        for other in range(one):
            shared = sum((same[one] & same[other]).values())
            assert shared == sum((theirs[one] & theirs[other]).values())
            if ours[one] == ours[other]:
                assert same[one] == same[other]


def test_the_weisfeiler_lehman_process_gives_twins_one_figure() -> None:
    known = some(50)
    process = WeisfeilerLehmanProcess()
    process.fit(known, figures(known), np.random.default_rng(0))
    classes = TSS.classes
    twins = [np.flatnonzero(classes == label)[:2] for label in np.unique(classes[:40])]
    for one, other in [pair for pair in twins if len(pair) == 2]:
        if TSS.graph(int(one)) == TSS.graph(int(other)):
            mean, deviation = process.predict(Examples(TSS, [int(one), int(other)]))
            assert mean[0] == pytest.approx(mean[1])
            assert deviation[0] == pytest.approx(deviation[1])


def test_the_kernel_of_weisfeiler_and_lehman_is_a_count_of_shared_subtrees() -> None:
    known, asked = some(12), some(3, 1)
    process = WeisfeilerLehmanProcess(rounds=2)
    process.fit(known, figures(known), np.random.default_rng(0))
    depth = process.depth

    def kernel(one: OperationGraph, other: OperationGraph) -> float:
        left, right = count_labels(one, depth), count_labels(other, depth)
        return float(sum(a[x] * b[x] for a, b in zip(left, right, strict=True) for x in a))

    graphs, others = known.graphs(), asked.graphs()
    cross = np.array([[kernel(o, g) for g in graphs] for o in others])
    cross /= np.sqrt(np.outer([kernel(o, o) for o in others], [kernel(g, g) for g in graphs]))
    assert_allclose(process.predict(asked).mean, process.process.predict(cross)[0])


# -- the interface -------------------------------------------------------------------------------


def test_the_relation_of_two_graphs_is_that_of_brp_nas() -> None:
    """Its divergence of two softmaxes, pair by pair, in both orders, with outputs s and 0."""
    torch = pytest.importorskip("torch")
    found, targets = torch.randn(2, 5, generator=torch.Generator().manual_seed(0))
    divergence = torch.nn.KLDivLoss(reduction="sum")
    pairs = [(i, j) for i in range(5) for j in range(5) if i != j]
    theirs = sum(
        divergence(found[[i, j]].log_softmax(0), targets[[i, j]].softmax(0)) for i, j in pairs
    )
    ours = GCNRanker().loss(found, targets) - GCNRanker().loss(targets, targets)
    assert_allclose(ours, theirs / len(pairs), rtol=1e-5)
    assert GCNRanker().loss(found[:1], targets[:1]) == 0


def test_a_ranker_places_its_scores_where_the_figures_are() -> None:
    pytest.importorskip("torch")
    known = some(40)
    predictor = make_predictor("gcn-ranker", {"epochs": 20, "width": 16})
    predictor.fit(known, figures(known), np.random.default_rng(0))
    assert_allclose(predictor.predict(known).mean.mean(), figures(known).mean(), rtol=1e-5)


def test_parts_taken_are_described_as_the_whole() -> None:
    whole = Examples(TSS, np.arange(50), extras=np.arange(50.0)[:, None])
    features = whole.features("path")
    part = whole.take([4, 2])
    assert np.array_equal(part.features("path"), features[[4, 2]])
    assert features[:, -1].tolist() == list(range(50))
    joined = part.followed_by(whole.take([7]))
    assert np.array_equal(joined.features("path"), features[[4, 2, 7]])


def test_refusals() -> None:
    known = some(5)
    with pytest.raises(SuiteError, match="did you mean 'lightgbm'"):
        make_predictor("lightgmb")
    with pytest.raises(SuiteError, match=r"hyper-parameter .* of predictor 'gp'"):
        make_predictor("gp", {"kernel": "rbf"})
    with pytest.raises(SuiteError, match="encoding"):
        make_predictor("gp", {"encoding": "letters"})
    gp = make_predictor("gp", {"encoding": "path"})
    for values in (np.full(5, np.nan), np.arange(4.0)):
        with pytest.raises(SuiteError):
            gp.fit(known, values, np.random.default_rng(0))
    with pytest.raises(SuiteError, match="No learning curves"):
        make_predictor("last-figure").fit(known, figures(known), np.random.default_rng(0))
    with pytest.raises(SuiteError, match="above 0"):
        make_predictor("additive").fit(known, -np.arange(5.0), np.random.default_rng(0))
    assert predictor_label("gp", {"encoding": "path"}) == "gp[encoding=path]"


def test_a_power_law_is_extrapolated_to_its_limit() -> None:
    limits, times = np.linspace(60, 90, 12), np.arange(1, 6)
    curves = limits[:, None] - np.linspace(30, 50, 12)[:, None] * times**-1.0
    predictor = make_predictor("curve-extrapolation", {"horizon": "1e6"})
    predictor.fit(Examples(TSS, np.arange(0), curves[:0]), np.zeros(0), np.random.default_rng(0))
    assert_allclose(predictor.predict(Examples(TSS, np.arange(12), curves)).mean, limits, rtol=1e-4)


# -- settings --------------------------------------------------------------------------------------

IMPOSSIBLE = [
    *[("gcn", name, value) for name, value in (("weight_decay", -1), ("learning_rate", 0))],
    *[("curve-regression", "penalty", value) for value in (0, -1, "inf")],
    *[("curve-extrapolation", "horizon", value) for value in (0, -3)],
    ("curve-sum", "last", -1),
    ("lightgbm", "rounds", 0),
    *[("lightgbm", "num_leaves", value) for value in (1, 131_073)],
    *[("lightgbm", "learning_rate", value) for value in (0, "nan")],
    ("xgboost", "max_depth", -1),
    ("xgboost", "learning_rate", -1),
    ("xgboost", "rounds", 0),
    ("ngboost", "max_depth", 0),
    *[("ngboost", "max_features", value) for value in (0, 5)],
    ("ngboost", "rounds", 0),
    *[("random-forest", "max_features", value) for value in (5, "nan")],
    ("random-forest", "min_leaf", 0),
    ("extra-trees", "num_trees", 0),
    ("deep-ensemble", "learning_rate", -1),
    ("mlp", "learning_rate", 0),
    ("mlp", "num_layers", 0),
    ("weisfeiler-lehman", "rounds", -1),
]


def is_at_hand(name: str) -> bool:
    needed = registry.load_class("predictors", name, Predictor).needs_package
    return not needed or find_spec(needed[0]) is not None


@pytest.mark.parametrize(("name", "setting", "value"), IMPOSSIBLE)
def test_what_a_setting_cannot_be_is_one_sentence(name: str, setting: str, value: object) -> None:
    if not is_at_hand(name):
        pytest.skip(f"{name} is not installed")
    with pytest.raises(SuiteError, match=f"cannot work with {setting}=.*: give "):
        make_predictor(name, {setting: str(value)})


def test_a_network_is_no_ensemble() -> None:
    with pytest.raises(SuiteError, match="A feedforward network cannot work with num_layers=0"):
        make_predictor("mlp", {"num_layers": 0})


SMALL = {"rounds": 5, "epochs": 3, "num_trees": 5, "width": 8, "num_networks": 2}


def numeric_settings() -> list[tuple[str, str]]:
    """Of every predictor that is at hand, each setting that is a number."""
    found = []
    for name in filter(is_at_hand, registry.entries("predictors")):
        kind = registry.load_class("predictors", name, Predictor)
        for item in fields(kind):
            if type(item.default) in (int, float):
                found.append((name, item.name))
    return found


@pytest.mark.parametrize(("name", "setting"), numeric_settings())
def test_any_number_of_a_setting_is_refused_or_predicts(name: str, setting: str) -> None:
    known = Examples(TSS, np.arange(0, 15_000, 500), np.linspace(1, 2, 150).reshape(30, 5))
    known_settings = {item.name for item in fields(make_predictor(name))}
    quick = {key: value for key, value in SMALL.items() if key in known_settings}
    tried = 0
    for value in ("0", "-1", "nan"):
        try:
            predictor = make_predictor(name, {**quick, setting: value})
        except SuiteError:
            continue
        tried += 1
        predictor.fit(known, figures(known), np.random.default_rng(0))
        assert np.isfinite(predictor.predict(known).mean).all()
    assert tried < 3, "it takes anything"


@pytest.mark.parametrize("name", ["additive", "boosting", "gaussian-process"])
def test_costs_are_learnt_from_one_figure_or_too_few_are_said_to_be(name: str) -> None:
    predictor, known = make_predictor(name), some(2)
    for number in (1, 2):
        few = known.take(np.arange(number))
        if number < predictor.fewest:
            with pytest.raises(SuiteError, match="learns from at least 2 architectures"):
                predictor.fit(few, figures(few), np.random.default_rng(0))
            continue
        predictor.fit(few, figures(few), np.random.default_rng(0))
        assert np.isfinite(predictor.predict(known).mean).all()


def test_without_a_model_of_the_space_no_training_is_advised() -> None:
    """It could not be named, nor be trained on such a space."""
    modules = load_space("nasbench101")
    strings = [modules.string(modules.sample(np.random.default_rng(seed))) for seed in range(4)]
    pool = PoolSpace(modules, strings)
    known = Examples(pool, np.arange(4))
    with pytest.raises(SuiteError, match="such as gp") as told:
        make_predictor("gp-latent").fit(known, np.arange(4.0), np.random.default_rng(0))
    with pytest.raises(SuiteError, match="do without its latent") as also:
        embedded_checkpoint(pool.name)
    assert "vae train" not in f"{told.value} {also.value}"
