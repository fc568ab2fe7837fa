"""Supernets against those of their authors: outputs and gradients in α of the official code.

``official.json`` was made once by running the code that its entries name, in double precision, on
weights and images that are drawn by what they are called; so are ours here. Nothing of that code is
in this project, and no module of ours had a part in the figures.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasbench_suite.seeding import stream

torch = pytest.importorskip("torch", reason="supernets need the extra 'torch'")

from torch.nn import functional as F  # noqa: E402

from search_methods import gm_nas  # noqa: E402
from search_methods.fair_darts import FairDarts  # noqa: E402
from search_methods.gdas import Gdas  # noqa: E402
from search_methods.is_darts import information  # noqa: E402
from search_methods.lambda_darts import alignment_moves  # noqa: E402
from search_methods.pc_darts import normalise_edges  # noqa: E402
from search_methods.r_darts import DartsEarlyStop  # noqa: E402
from search_methods.sdarts import SdartsAdversarial  # noqa: E402
from search_methods.supernet.cell import Mix, MixedCell, MixedOperations  # noqa: E402
from search_methods.supernet.darts_space import (  # noqa: E402
    DartsSupernet,
    Entry,
    find_darts_space,
)
from search_methods.supernet.data import Batch, SearchData  # noqa: E402
from search_methods.supernet.network import (  # noqa: E402
    CellOptions,
    ResidualReduction,
    TopologySupernet,
)
from search_methods.supernet.operations import (  # noqa: E402
    Convolution,
    FactorizedReduction,
    Reduction,
    Separable,
)

OFFICIAL: dict[str, Any] = json.loads(Path(__file__).with_name("official.json").read_text())


pytestmark = pytest.mark.usefixtures("one_thread")


def images() -> tuple[torch.Tensor, torch.Tensor]:
    rng = stream(0, "images")
    return torch.tensor(rng.normal(size=(6, 3, 8, 8))), torch.tensor(rng.integers(0, 10, 6))


def parameters(name: str, *shape: int) -> torch.Tensor:
    return torch.tensor(stream(0, name).normal(size=shape), requires_grad=True)


@torch.no_grad()
def fill(weight: torch.Tensor, name: str) -> None:
    """Weights of the variance that keeps a signal's, drawn by the layer's name."""
    values = stream(0, name).normal(size=tuple(weight.shape))
    weight.copy_(torch.tensor(values / np.prod(weight.shape[1:]) ** 0.5))


def fill_reduction(reduction: FactorizedReduction, name: str) -> None:
    fill(reduction.even.weight, f"{name}.0")
    fill(reduction.odd.weight, f"{name}.1")


def fill_entry(module: Entry | FactorizedReduction, name: str) -> None:
    if isinstance(module, FactorizedReduction):
        fill_reduction(module, name)
    else:
        fill(module.conv.weight, f"{name}.0")


def fill_edges(mixed: MixedOperations, name: str) -> None:
    """The operations on all edges that leave a node."""
    for operation, module in mixed.operations.items():
        called = operation.removesuffix("_norm").removesuffix("_relu_last")
        for number, (place, _) in enumerate(mixed._places[operation]):
            edge = f"{name}.edge{mixed.edges[place]}.{called}"
            if isinstance(module, Convolution):
                fill(module.convolutions[number].weight, f"{edge}.0")
            elif isinstance(module, Reduction):
                fill_reduction(module.reductions[number], edge)
            elif isinstance(module, Separable):
                for stage in range(len(module.strides)):
                    fill(module.depthwise[stage][number].weight, f"{edge}.{2 * stage}")
                    fill(module.pointwise[stage][number].weight, f"{edge}.{2 * stage + 1}")
    if isinstance(mixed.auxiliary, Reduction):
        for edge, reduction in zip(mixed.edges, mixed.auxiliary.reductions, strict=True):
            fill_reduction(reduction, f"{name}.edge{edge}.auxiliary")


def fill_ends(net: torch.nn.Module) -> None:
    fill(net.stem.conv.weight, "stem")
    fill(net.classifier.weight, "classifier")
    torch.nn.init.zeros_(net.classifier.bias)


def search_data() -> SearchData:
    batch = images()
    return SearchData("x", batch, batch, 10, F.relu)


def darts_network(options: CellOptions, space: str = "darts", **settings: int) -> DartsSupernet:
    net = DartsSupernet(
        search_data(),
        options,
        space=find_darts_space(space),
        cells=4,
        **{"channels": 4, **settings},
    ).double()
    fill_ends(net)
    for number, cell in enumerate(net.cells):
        fill_entry(cell.first, f"cell{number}.preprocess0")
        fill_entry(cell.second, f"cell{number}.preprocess1")
        for mixed in cell.cell.mixed:
            fill_edges(mixed, f"cell{number}")
    return net


def topology_network() -> TopologySupernet:
    net = TopologySupernet(search_data(), CellOptions(), width=4, cells=1).double()
    fill_ends(net)
    for number, block in enumerate(net.blocks):
        if isinstance(block, MixedCell):
            for mixed in block.mixed:
                fill_edges(mixed, f"cell{number}")
        else:
            assert isinstance(block, ResidualReduction)
            parts = (block.first.conv, block.second.conv, block.shortcut)
            for place, conv in enumerate(parts):
                fill(conv.weight, f"cell{number}.reduction.{place}")
    return net


def compare(
    name: str, net: torch.nn.Module, mixes: list[Mix], given: dict[str, torch.Tensor]
) -> None:
    """Hold logits, and gradients of the loss, against the official ones."""
    x, y = images()
    logits = net(x, mixes)
    gradients = torch.autograd.grad(F.cross_entropy(logits, y), list(given.values()))
    official = OFFICIAL[name]
    assert logits.flatten().tolist() == pytest.approx(official["logits"], abs=1e-7)
    for key, gradient in zip(given, gradients, strict=True):
        expected = np.array(official["gradients"][key])
        assert np.abs(expected).max() > 1e-4, "a gradient that says nothing"
        assert gradient.flatten().numpy() == pytest.approx(expected, abs=1e-8)


def both_alphas() -> dict[str, torch.Tensor]:
    return {f"alpha {kind}": parameters(f"alpha {kind}", 14, 8) for kind in ("normal", "reduce")}


def test_darts() -> None:
    alphas = both_alphas()
    mixes = [Mix(alpha.softmax(-1)) for alpha in alphas.values()]
    compare("darts", darts_network(CellOptions()), mixes, alphas)


def test_vs_darts() -> None:
    for relu_last in (True, False):
        alphas = both_alphas()
        mixes = [Mix(alpha.softmax(-1).sqrt()) for alpha in alphas.values()]
        net = darts_network(CellOptions("all", relu_last=relu_last), stem=1)
        if relu_last:
            compare("vs-darts", net, mixes, alphas)
        else:  # with DARTS's reductions it is another network
            with pytest.raises(AssertionError):
                compare("vs-darts", net, mixes, alphas)


def test_pc_darts() -> None:
    alphas = both_alphas()
    betas = {f"beta {kind}": parameters(f"beta {kind}", 14) for kind in ("normal", "reduce")}
    net = darts_network(CellOptions(share=4), channels=8)
    mixes = [
        Mix(alpha.softmax(-1), normalise_edges(beta, layout))
        for alpha, beta, layout in zip(alphas.values(), betas.values(), net.layouts, strict=True)
    ]
    compare("pc-darts", net, mixes, {**alphas, **betas})


def test_darts_minus_has_its_skip_on_every_edge_of_a_subspace() -> None:
    names = ("alpha normal s2", "alpha reduce s2")
    alphas = {name: parameters(name, 14, 2) for name in names}
    mixes = [Mix(alpha.softmax(-1), auxiliary=0.6) for alpha in alphas.values()]
    compare("darts-minus", darts_network(CellOptions(auxiliary=True), "s2"), mixes, alphas)


def test_the_network_of_nas_bench_201() -> None:
    alpha = parameters("alpha", 6, 5)
    compare("nas-bench-201", topology_network(), [Mix(alpha.softmax(-1))], {"alpha": alpha})


def test_gdas_lets_gradients_reach_what_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(x: torch.Tensor) -> torch.Tensor:
        return x.copy_(torch.tensor(stream(0, "gumbel").exponential(size=tuple(x.shape))))

    monkeypatch.setattr(torch.Tensor, "exponential_", drawn)
    for gradient in ("sum", "drawn"):
        alpha = parameters("alpha", 6, 5)
        method = Gdas(gradient=gradient, temperature=3.0, temperature_min=3.0)
        method.epoch = 0
        mixes = [method.sample(alpha)]
        if gradient == "sum":
            compare("gdas", topology_network(), mixes, {"alpha": alpha})
        else:
            with pytest.raises(AssertionError):
                compare("gdas", topology_network(), mixes, {"alpha": alpha})


def test_darts_es_stops_where_the_authors_do() -> None:
    """On 200 series of eigenvalues, most of which are stopped."""
    official = OFFICIAL["early-stop"]["stops"]
    assert len(set(official)) > 10
    for seed, expected in enumerate(official):
        steps = stream(0, "eigenvalues", str(seed)).normal(0.04, 0.15, 25)
        method = DartsEarlyStop(epochs=50)
        method.eigenvalues, stop = [], None
        for reading, value in enumerate(np.exp(np.cumsum(steps))):
            method.epoch = 2 * reading + 1
            assert method.reads_eigenvalue
            method.eigenvalues.append(float(value))
            if (stop := method.stop_epoch()) is not None:
                break
        assert (-1 if stop is None else stop) == expected


def test_lambda_darts_moves_the_mixtures_as_the_authors_do() -> None:
    official = OFFICIAL["lambda-darts"]
    gradients = [torch.tensor(stream(0, f"layer {i}").normal(size=30)).view(6, 5) for i in range(3)]
    moves, size = alignment_moves(gradients, 1e-4)
    assert size == pytest.approx(official["epsilon"])
    for move, expected in zip(moves, official["perturbations"], strict=True):
        assert move.flatten().tolist() == pytest.approx(expected, rel=1e-6)


def test_is_darts_measures_outputs_as_the_authors_do() -> None:
    outputs = [torch.tensor(stream(0, f"outputs {i}").normal(size=(4, 8, 3, 3))) for i in range(2)]
    found = torch.cat([information(output) for output in outputs]).mean()
    assert float(found) == pytest.approx(OFFICIAL["is-darts"]["measure"])
    assert bool(information(torch.zeros(2, 4, 3, 3)).isinf().all()), "nothing is least informative"


def fair_darts(alpha: Any, **settings: Any) -> FairDarts:
    method = FairDarts(width=4, cells=1, **settings)
    method.prepare(search_data(), np.random.default_rng(0))
    method.alphas = [torch.tensor(alpha, requires_grad=True)]
    return method


def test_fair_darts_has_the_zero_one_loss_of_the_authors() -> None:
    """Theirs knows no ``none``, which would make the gradients of the others 0.8 of theirs."""
    official = OFFICIAL["fair-darts"]
    method = fair_darts(stream(0, "fair alphas").normal(0, 2, (6, 5)))
    loss = method.penalty()
    assert loss.item() == pytest.approx(official["loss"], rel=1e-9)
    (gradient,) = torch.autograd.grad(loss, method.alphas)
    assert gradient[:, 1:].flatten().tolist() == pytest.approx(official["gradient"], rel=1e-7)
    assert gradient[:, 0].tolist() == [0] * 6


def test_fair_darts_derives_what_is_above_the_threshold_of_the_authors() -> None:
    for number, expected in enumerate(OFFICIAL["fair-darts"]["derived"]):
        drawn = stream(0, "fair derivation", str(number)).normal(0.5, 1.2, (6, 4))
        method = fair_darts(np.pad(drawn, ((0, 0), (1, 0)), constant_values=9.0), threshold=0.85)
        assert method.derive() == expected
        method.threshold = 0.0
        assert 0 not in method.derive()


def test_the_adversary_of_sdarts_goes_and_comes_back_as_the_authors_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a loss with so many hills that half of the ascents end below where they began."""
    official = OFFICIAL["sdarts-adv"]
    assert set(official["kept"]) == {True, False}
    for number, kept in enumerate(official["kept"]):
        rng = stream(0, "adversary", str(number))
        clean = torch.tensor(rng.normal(0, 1.5, (6, 5))).softmax(-1)
        slopes = torch.tensor(rng.normal(0, 3, (6, 5)))

        def loss(_: Batch, mixes: list[Mix], slopes: Any = slopes) -> Any:
            return (slopes * mixes[0].operations).sum().cos()

        method = SdartsAdversarial(epochs=1)
        method.epoch = 1
        monkeypatch.setattr(method, "loss", loss)
        torch.manual_seed(number)
        batch = torch.zeros(()), torch.zeros(())
        mixes = method.perturb([Mix(clean)], batch)
        assert torch.equal(mixes[0].operations, clean) == kept
        assert float(loss(batch, mixes)) == pytest.approx(official["losses"][number], rel=1e-6)
        edge = mixes[0].operations[0].tolist()
        assert edge == pytest.approx(official["first_edges"][number], rel=1e-6)


def test_gm_nas_matches_gradients_and_groups_operations_as_the_authors_do() -> None:
    official = OFFICIAL["gm-nas"]
    for number, (pair, score) in enumerate(zip(official["pairs"], official["scores"], strict=True)):
        rng = stream(0, "operation gradients", str(number))
        common = rng.normal(size=40)
        drawn = [rng.normal(size=40) + 0.5 * common * rng.integers(0, 3) for _ in range(5)]
        found = gm_nas.distances(torch.tensor(np.stack(drawn)))
        if number == 0:
            assert found[0].tolist() == pytest.approx(official["distances"], rel=1e-7, abs=1e-9)
        (first, second), apart = gm_nas.cut(found)
        assert first == pair
        assert second == [place for place in range(5) if place not in pair]
        assert apart == pytest.approx(score, rel=1e-8)
