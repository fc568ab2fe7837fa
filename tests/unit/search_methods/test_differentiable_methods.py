"""VS-DARTS and the DARTS family: each step against what its paper says, and the whole search."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy import stats

from nasbench_suite import load_benchmark, registry, run
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.benchmarks.open import load_open
from nasbench_suite.errors import SuiteError
from nasbench_suite.events import TrialResult
from nasbench_suite.runner.trial import Trial
from nasbench_suite.spaces import load_space
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks import Method, make_task
from nasbench_suite.tasks.methods import make_method, method_class
from nasbench_suite.testing import SupernetContract

torch = pytest.importorskip("torch", reason="supernets need the extra 'torch'")

from plain_supernet import PlainSupernet  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from search_methods.beta_darts import BetaDarts  # noqa: E402
from search_methods.darts import Darts  # noqa: E402
from search_methods.darts_minus import DartsMinus  # noqa: E402
from search_methods.darts_pt import DartsPt  # noqa: E402
from search_methods.drnas import DrNas  # noqa: E402
from search_methods.fair_darts import FairDarts  # noqa: E402
from search_methods.gdas import Gdas  # noqa: E402
from search_methods.gm_nas import GmNas, shared_weights  # noqa: E402
from search_methods.lambda_darts import LambdaDarts, cells_of, shifted  # noqa: E402
from search_methods.latency_sweep import LatencySweep  # noqa: E402
from search_methods.pc_darts import PcDarts  # noqa: E402
from search_methods.r_darts import DartsAdaptive, DartsEarlyStop  # noqa: E402
from search_methods.rsps import Rsps  # noqa: E402
from search_methods.sdarts import SdartsAdversarial, SdartsRandom, as_mixture  # noqa: E402
from search_methods.setn import most_probable  # noqa: E402
from search_methods.shapley_nas import ShapleyNas  # noqa: E402
from search_methods.snas import Snas  # noqa: E402
from search_methods.spos import Spos  # noqa: E402
from search_methods.supernet.cell import Mix  # noqa: E402
from search_methods.supernet.data import load_search_data  # noqa: E402
from search_methods.supernet.larc import Larc  # noqa: E402
from search_methods.supernet.latency import LatencyModel  # noqa: E402
from search_methods.supernet.search import DifferentiableSearch  # noqa: E402
from search_methods.vs_darts import VsDarts  # noqa: E402
from search_methods.zero_cost_pt import agreements  # noqa: E402

SPACE = load_space("nats-tss")
DIGITS = load_search_data("digits")
NAMES = (
    *("darts", "vs-darts", "gdas", "snas", "pc-darts", "drnas", "sdarts-rs", "sdarts-adv"),
    *("darts-pt", "darts-minus", "beta-darts", "fair-darts", "darts-es", "rsps", "spos"),
    *("darts-ada", "r-darts", "lambda-darts", "is-darts", "zero-cost-pt", "shapley-nas"),
    *("setn", "enas", "gm-nas"),
)
# As short as a search of that kind can be: two steps an epoch.
SHORT: dict[str, dict[str, Any]] = {
    name: {"epochs": 3, "batch_size": 200, **settings}
    for name, settings in {
        **{name: {} for name in NAMES},
        "darts-pt": {"epochs": 1, "tuning": 1},
        "darts-es": {"eigenvalue_every": 2},
        "darts-ada": {"eigenvalue_every": 2},
        "r-darts": {"epochs": 1},
        "is-darts": {"epochs": 3, "interval": 1},
        "zero-cost-pt": {"rounds": 2, "batch_size": 20},
        "shapley-nas": {"epochs": 3, "orders": 1, "valid_batch": 50, "truncation": 0.9},
        "setn": {"candidates": 3, "interim": 2},
        "enas": {"candidates": 3, "interim": 2, "controller_steps": 2, "controller_draws": 3},
        "gm-nas": {"order": 1, "splits": 1, "split_share": 0.5, "epochs": 2, "matching_batches": 1},
        "rsps": {"candidates": 3, "interim": 2},
        "spos": {"population": 4, "generations": 2, "interim": 2},
    }.items()
}


@pytest.fixture(scope="module")
def digits() -> Benchmark:
    return load_benchmark("digits")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def short(name: str, **settings: Any) -> Method:
    return make_method(name, {**SHORT[name], **settings})


def search(digits: Benchmark, method: Method, seed: int = 0) -> TrialResult:
    trial = Trial(make_task(digits), method, seed)
    trial.advance()
    return trial.result()


def prepared(method: DifferentiableSearch, seed: int = 0) -> Any:
    """A search in double precision, about to take its first step, with α that say something."""
    method.prepare(DIGITS, np.random.default_rng(seed))
    method.supernet.double()
    with torch.no_grad():
        for alpha in method.alphas:
            alpha.data = torch.randn(alpha.shape, dtype=torch.double)
    return method


def batch(start: int, count: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    x, y = DIGITS.train
    return x[start : start + count].double(), y[start : start + count]


# -- DARTS -----------------------------------------------------------------------------------------


def test_first_order_steps_are_those_of_a_hand_written_loop() -> None:
    method = prepared(Darts(clip=0.5))
    plain = PlainSupernet(method.supernet).double()
    for part in ("stem", "reduction", "norm", "classifier"):
        setattr(plain, part, copy.deepcopy(getattr(plain, part)))
    alpha = method.alphas[0].detach().clone().requires_grad_()
    adam = torch.optim.Adam([alpha], lr=3e-4, betas=(0.5, 0.999), weight_decay=1e-3)
    sgd = torch.optim.SGD(plain.parameters(), lr=0.025, momentum=0.9, weight_decay=3e-4)
    for number in range(3):
        train, valid = batch(32 * number), batch(32 * number + 16)
        method.update_architecture(train, valid)
        method.update_weights(train)
        adam.zero_grad()
        F.cross_entropy(plain(valid[0], alpha.softmax(-1)), valid[1]).backward()
        adam.step()
        sgd.zero_grad()
        F.cross_entropy(plain(train[0], alpha.softmax(-1)), train[1]).backward()
        torch.nn.utils.clip_grad_norm_(plain.parameters(), 0.5)
        sgd.step()
        torch.testing.assert_close(method.alphas[0], alpha)
    for ours, theirs in plain.convolutions:
        torch.testing.assert_close(ours.weight, theirs.weight)


def test_second_order_follows_the_loss_behind_the_unrolled_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Central differences of L_val(w'(α), α), with w' made by a real optimizer.

    Without kinks: where a ReLU switches, ∇_w L_train jumps, which differences see and derivatives
    do not.
    """
    monkeypatch.setattr(F, "relu", F.softplus)
    method = prepared(Darts(order=2))
    method.update_weights(batch(64))  # so that there is momentum
    train, valid = batch(0), batch(16)
    (alpha,) = method.alphas
    gradient = torch.autograd.grad(method.unrolled_loss(train, valid), alpha)[0]

    def unrolled(values: torch.Tensor) -> float:
        net = copy.deepcopy(method.supernet)
        sgd = torch.optim.SGD(net.parameters(), lr=0.025, momentum=0.9, weight_decay=3e-4)
        sgd.load_state_dict(copy.deepcopy(method.weight_optimizer.state_dict()))
        mix = [Mix(values.softmax(-1))]
        sgd.zero_grad()
        F.cross_entropy(net(train[0], mix), train[1]).backward()
        sgd.step()
        return F.cross_entropy(net(valid[0], mix), valid[1]).item()

    start, step = alpha.detach(), 1e-5
    for place in [(0, 3), (2, 1), (3, 0), (5, 2)]:
        shift = torch.zeros_like(start)
        shift[place] = step
        slope = (unrolled(start + shift) - unrolled(start - shift)) / (2 * step)
        assert float(gradient[place]) == pytest.approx(slope, rel=1e-5, abs=1e-9)
    first = torch.autograd.grad(method.loss(valid, method.mixes()), alpha)[0]
    assert not torch.allclose(first, gradient, rtol=1e-3)
    with pytest.raises(SuiteError, match="no order 3"):
        Darts(order=3)


# -- VS-DARTS --------------------------------------------------------------------------------------


def apex(
    weights: list[torch.Tensor],
    gradients: list[torch.Tensor],
    buffers: dict[int, torch.Tensor],
    *,
    rate: float,
    decay: float,
    clip: bool,
) -> None:
    """apex/parallel/LARC.py around torch's SGD with momentum 0.9, one tensor at a time."""
    for number, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
        size, slope = float(weight.norm()), float(gradient.norm())
        if size != 0 and slope != 0:
            adaptive = 0.02 * size / (slope + size * decay + 1e-8)
            if clip:
                adaptive = min(adaptive / rate, 1)
            gradient = (gradient + decay * weight) * adaptive
        buffers[number] = 0.9 * buffers[number] + gradient if number in buffers else gradient
        weight -= rate * buffers[number]


@pytest.mark.parametrize("clip", [True, False])
def test_larc_is_the_published_rule(clip: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    scales = (1e-3, 0.1, 1.0, 30.0, 0.0)  # a zero norm among them
    shapes = ((3, 3), (7,), (2, 4, 3, 3), (5, 1), (4,))
    weights = [
        (scale * torch.randn(shape, generator=generator, dtype=torch.double)).requires_grad_()
        for scale, shape in zip(scales, shapes, strict=True)
    ]
    expected = [weight.detach().clone() for weight in weights]
    buffers: dict[int, torch.Tensor] = {}
    larc = Larc(weights, lr=0.05, momentum=0.9, weight_decay=5e-3, clip=clip)
    for step in range(4):
        gradients = [torch.randn(s, generator=generator, dtype=torch.double) for s in shapes]
        gradients[1] = torch.zeros_like(gradients[1]) if step == 2 else gradients[1]
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient.clone()
        larc.step()
        apex(expected, gradients, buffers, rate=0.05, decay=5e-3, clip=clip)
        for weight, other in zip(weights, expected, strict=True):
            torch.testing.assert_close(weight.detach(), other, rtol=1e-12, atol=1e-15)
    assert larc.param_groups[0]["weight_decay"] == 5e-3


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize("nodes", ["none", "all"])
@pytest.mark.parametrize("rate", [False, True])
def test_the_parts_of_vs_darts_are_switches(root: bool, nodes: str, rate: bool) -> None:
    method = prepared(VsDarts(sqrt_relaxation=root, normalised_nodes=nodes, local_rate=rate))
    assert isinstance(method.weight_optimizer, Larc) == rate
    assert method.weight_optimizer.param_groups[0]["weight_decay"] == 5e-3
    beta = method.alphas[0].softmax(-1)
    plain = PlainSupernet(method.supernet, normalised=nodes == "all").double()
    x, y = batch(0)
    expected = F.cross_entropy(plain(x, beta.sqrt() if root else beta), y)
    torch.testing.assert_close(method.loss((x, y), method.mixes()), expected)


def test_vs_darts_without_its_parts_is_darts(digits: Benchmark) -> None:
    bare = {"sqrt_relaxation": False, "normalised_nodes": "none", "local_rate": False}
    one = search(digits, short("vs-darts", weight_decay=3e-4, **bare))
    other = search(digits, short("darts"))
    assert_same(one, other)


def test_no_latency_weight_takes_the_very_same_steps(digits: Benchmark, tmp_path: Path) -> None:
    table = latency_file(tmp_path)
    settings = {"latency_table": table, "latency_target": 1.0, "epochs": 2}
    plain = search(digits, short("vs-darts", epochs=2))
    assert_same(search(digits, short("vs-darts", latency_weight=0.0, **settings)), plain)
    weighed = search(digits, short("vs-darts", latency_weight=1.0, **settings))
    alphas = [[d.value for d in r.diagnostics if d.name == "alpha"][-1] for r in (plain, weighed)]
    assert not np.array_equal(*alphas)


def latency_file(folder: Path) -> str:
    path = folder / "operations.csv"
    times = "skip_connect,0.1\nnor_conv_1x1,0.5\nnor_conv_3x3,2.0\navg_pool_3x3,0.3\n"
    path.write_text("operation,ms\n" + times)
    return str(path)


def test_the_latency_weight_lowers_the_expected_latency(digits: Benchmark, tmp_path: Path) -> None:
    table = latency_file(tmp_path)
    expected = []
    for weight in (0.0, 1.0, 100.0):
        method = short(
            "vs-darts",
            latency_weight=weight,
            latency_table=table,
            latency_target=1.0,
            architecture_learning_rate=0.1,
            epochs=4,
            batch_size=100,
        )
        search(digits, method)
        times = torch.tensor([0.0, 0.1, 0.5, 2.0, 0.3])
        expected.append(float((method.strengths()[0] * times).sum()))
    assert expected[0] > expected[1] > expected[2]


def test_none_pays_for_no_latency_where_it_cannot_be_derived() -> None:
    gradients = {}
    for allowed in (True, False):
        method = VsDarts(latency_weight=1.0, latency_target=1.0, allow_none=allowed)
        alpha = torch.zeros(6, 5, requires_grad=True)
        method.alphas, method.latency = [alpha], LatencyModel(0.0, torch.arange(5.0).expand(6, -1))
        penalty = method.penalty()
        assert isinstance(penalty, torch.Tensor)
        (gradients[allowed],) = torch.autograd.grad(penalty, alpha)
    assert bool((gradients[True][:, 0] < 0).all())  # so that its strength grows
    assert bool((gradients[False][:, 0] == 0).all())
    assert bool((gradients[False][:, 1] < 0).all())


def sweep(folder: Path, **settings: Any) -> LatencySweep:
    return LatencySweep(
        epochs=2,
        batch_size=200,
        searches=3,
        latency_table=latency_file(folder),
        latency_target=1.0,
        **settings,
    )


def test_a_sweep_evaluates_what_every_weight_derives(digits: Benchmark, tmp_path: Path) -> None:
    task = make_task(digits, objectives=["flops"])
    trial = Trial(task, sweep(tmp_path), 0)
    trial.advance()
    result = trial.result()
    assert len(result.record.architectures) == 3
    weights = [entry for entry in result.diagnostics if entry.name == "latency_weight"]
    assert [entry.step for entry in weights] == [2, 4, 6]
    assert [float(entry.value) for entry in weights] == pytest.approx([0.001, 0.0003**0.5, 0.3])
    first = search(
        digits,
        VsDarts(
            epochs=2,
            batch_size=200,
            latency_table=latency_file(tmp_path),
            latency_target=1.0,
            latency_weight=0.001,
            architecture_learning_rate=3e-3,
            allow_none=False,
        ),
    )
    assert result.record.architectures[0] == first.record.recommended[-1]
    losses = [
        [entry.value for entry in trial.diagnostics if entry.name == "train_loss"]
        for trial in (result, first)
    ]
    assert losses[0][:2] == losses[1]


def test_a_sweep_goes_on_within_a_search(digits: Benchmark, tmp_path: Path) -> None:
    task = make_task(digits, objectives=["flops"])
    whole, before, after = (Trial(task, sweep(tmp_path), 0) for _ in range(3))
    whole.advance()
    before.advance(3)
    assert before.save(tmp_path / "c.npz")
    after.load(tmp_path / "c.npz")
    after.advance()
    assert_same(after.result(), whole.result())


def test_a_sweep_needs_weights_in_order(digits: Benchmark, tmp_path: Path) -> None:
    for wrong in ({"smallest": 2.0}, {"smallest": 0.0}):
        with pytest.raises(SuiteError, match="0 < smallest <= largest"):
            search(digits, sweep(tmp_path, **wrong))


def test_a_latency_weight_needs_a_table_and_a_target(digits: Benchmark) -> None:
    with pytest.raises(SuiteError, match="latency_table and a latency_target"):
        search(digits, short("vs-darts", latency_weight=1.0))


# -- sampled architectures -------------------------------------------------------------------------


def test_gdas_draws_each_operation_with_its_probability() -> None:
    method = prepared(Gdas())
    alpha = torch.tensor([[0.0, 1.0, 2.0, 0.5, -1.0]] * 6, requires_grad=True)
    counts = np.zeros(5)
    for _ in range(1500):
        mix = method.sample(alpha)
        assert mix.active is not None
        assert (mix.active.sum(axis=1) == 1).all()
        counts += mix.active.sum(axis=0)
    expected = counts.sum() * alpha[0].softmax(0).detach().numpy()
    assert stats.chisquare(counts, expected * counts.sum() / expected.sum()).pvalue > 1e-3
    weights = method.sample(alpha).operations
    torch.testing.assert_close(weights, weights.detach().round())
    assert torch.autograd.grad(weights[:, 0].sum(), alpha)[0].abs().sum() > 0


def test_temperatures_fall_linearly_to_their_end() -> None:
    def taus(method: Any) -> list[float]:
        found = []
        for epoch in range(method.epochs):
            method.epoch = epoch
            found.append(method.tau)
        return found

    assert taus(Gdas(epochs=11)) == pytest.approx(np.linspace(10, 0.1, 11))
    # SNAS's own code steps before the first epoch, DrNAS's behind it.
    assert taus(Snas(epochs=10)) == pytest.approx(np.linspace(1, 0.03, 11)[1:])
    drnas = make_method("snas", {"protocol": "drnas", "epochs": 10})
    assert taus(drnas) == pytest.approx(np.linspace(10, 1, 11)[:-1])


def test_snas_trains_both_on_the_training_loss() -> None:
    method = prepared(Snas())
    before = method.alphas[0].detach().clone()
    assert method.update_architecture(batch(0), batch(16)) is None
    torch.testing.assert_close(method.alphas[0].detach(), before)
    method.update_weights(batch(0))
    assert not torch.equal(method.alphas[0], before)
    mix = method.mixes()[0].operations
    torch.testing.assert_close(mix.sum(-1), torch.ones(6, dtype=torch.double))


def test_drnas_samples_have_the_mean_that_it_derives_from() -> None:
    method = prepared(DrNas())
    mean = torch.stack([method.mixes()[0].operations.detach() for _ in range(4000)]).mean(0)
    torch.testing.assert_close(mean, method.strengths()[0], rtol=0, atol=0.03)
    alpha = method.alphas[0]
    beta = torch.where(alpha > 0, alpha + 1, alpha.exp())
    torch.testing.assert_close(method.strengths()[0], beta / beta.sum(-1, keepdim=True))
    assert torch.autograd.grad(method.mixes()[0].operations[0, 0], alpha)[0].abs().sum() > 0


# -- regularised and perturbed ---------------------------------------------------------------------


def test_a_perturbed_mixture_is_one_and_within_reach() -> None:
    method = prepared(SdartsRandom(epochs=10))
    method.epoch = 5
    assert method.radius == pytest.approx(0.03 + 0.27 / 2)
    (clean,) = [mix.operations.detach() for mix in method.mixes()]
    noisy = method.noisy(clean)
    torch.testing.assert_close(noisy.sum(-1), torch.ones(6, dtype=torch.double))
    assert float(noisy.min()) >= 0
    assert not torch.equal(noisy, clean)
    emptied = as_mixture(torch.tensor([[-0.5, -0.1, -0.2]]))
    assert emptied.tolist() == [[0.0, 1.0, 0.0]]
    assert as_mixture(torch.tensor([[0.5, -0.1, 1.5]]))[0].tolist() == pytest.approx(
        [1 / 3, 0, 2 / 3]
    )


def test_a_perturbation_that_lowers_the_loss_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the loss of the unperturbed mixture, as in the authors' code, not of the random start."""
    for after, taken in ((1.5, False), (2.5, True)):
        method = prepared(SdartsAdversarial(epochs=1, ascent_steps=1))
        method.epoch = 1
        with torch.no_grad():
            mixes = method.mixes()
        losses = iter((2.0, 1.0, after))  # unperturbed, at the random start, at the end

        def loss(data: object, given: list[Mix], losses: Iterator[float] = losses) -> Any:
            return next(losses) + 0 * given[0].operations.sum()

        monkeypatch.setattr(method, "loss", loss)
        assert (method.perturb(mixes, batch(0)) is not mixes) == taken


def test_the_adversary_is_worse_than_chance() -> None:
    losses: dict[str, list[float]] = {"clean": [], "random": [], "adversarial": []}
    for seed in range(3):
        methods = {"random": SdartsRandom(epochs=1), "adversarial": SdartsAdversarial(epochs=1)}
        for name, made in methods.items():
            method = prepared(made, seed)
            method.epoch = 1
            with torch.no_grad():
                method.alphas[0].copy_(torch.zeros(6, 5))
                mixes = method.mixes()
            perturbed = method.perturb(mixes, batch(0))
            losses[name].append(method.loss(batch(0), perturbed).item())
        losses["clean"].append(method.loss(batch(0), mixes).item())
    assert np.mean(losses["adversarial"]) > np.mean(losses["random"])
    assert np.mean(losses["adversarial"]) > np.mean(losses["clean"])


def test_the_auxiliary_skip_adds_its_input_and_fades() -> None:
    method = prepared(DartsMinus(epochs=10))
    x, _ = batch(0)
    skip = torch.zeros(6, 5, dtype=torch.double)
    for method.epoch, beta in ((0, 1.0), (5, 0.5), (10, 0.0)):
        (mix,) = method.mixes()
        skip[:, 1] = beta
        assert mix.auxiliary == beta
        expected = method.supernet(x, [Mix(method.alphas[0].softmax(-1) + skip)])
        torch.testing.assert_close(method.supernet(x, [mix]), expected)
    assert method.strengths()[0].sum(-1).tolist() == pytest.approx([1] * 6)


def test_beta_decay_has_the_published_gradient() -> None:
    method = prepared(BetaDarts(epochs=100))
    method.epoch = 40
    gradient = torch.autograd.grad(method.penalty(), method.alphas[0])[0]
    torch.testing.assert_close(gradient, 20 / 6 * method.alphas[0].softmax(-1))


def test_fair_darts_begins_at_one_half_and_is_driven_away() -> None:
    method = FairDarts()
    method.prepare(DIGITS, np.random.default_rng(0))
    assert method.mixes()[0].operations.tolist() == [[0.5] * 5] * 6
    with torch.no_grad():
        method.alphas[0][0] = torch.tensor([0.0, 2.0, -2.0, 0.0, 0.0])
    weights = torch.sigmoid(method.alphas[0])
    expected = -10 * (weights[:, 1:] - 0.5).square().mean()  # none is no candidate of theirs
    torch.testing.assert_close(method.penalty(), expected)
    gradient = torch.autograd.grad(method.penalty(), method.alphas[0])[0]
    assert gradient[0, 1] < 0 < gradient[0, 2]
    assert method.derive()[0] == 1
    assert 0 not in method.derive()


def test_pc_darts_weighs_edges_and_holds_the_architecture_first() -> None:
    method = prepared(PcDarts(epochs=10))
    with torch.no_grad():
        method.betas[0].copy_(torch.tensor([3.0, 1.0, 2.0, 0.0, 1.0, 2.0]))
    (mix,) = method.mixes()
    assert mix.edges is not None
    edges = mix.edges.detach()
    expected = [1.0, *torch.tensor([1.0, 2.0]).softmax(0), *torch.arange(3.0).softmax(0)]
    assert edges.tolist() == pytest.approx([float(value) for value in expected])
    for method.epoch, held in ((2, True), (3, False)):
        before = [*method.alphas, *method.betas]
        before = [parameter.detach().clone() for parameter in before]
        loss = method.update_architecture(batch(0), batch(16))
        after = [*method.alphas, *method.betas]
        assert (loss is None) == held
        assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True)) == held


# -- selection -------------------------------------------------------------------------------------


def test_early_stopping_returns_what_was_derived_before_the_growth() -> None:
    method = DartsEarlyStop(epochs=50)
    readings = [*[1.0] * 10, 3.0, 5.0, 9.0, 12.0]
    stops = {}
    for count in range(1, len(readings) + 1):
        method.epoch, method.eigenvalues = 2 * count - 1, readings[:count]
        stops[method.epoch - 1] = method.stop_epoch()
    # Epochs counted from 0: after 22 the mean of the last five readings is 2.2, four before it 1,
    # but after 20, where it is 1.4, the epoch to return would be 8.
    assert stops[20] is None
    assert stops[22] == 22 - 4 - 8
    method.first = 11
    method.epoch, method.eigenvalues = 23, readings[:12]
    assert method.stop_epoch() is None


@pytest.mark.slow
def test_darts_ada_goes_back_and_decays_more(digits: Benchmark) -> None:
    method = DartsAdaptive(
        epochs=5, batch_size=200, eigenvalue_every=1, window=1, delay=1, first=1, factor=0.0
    )
    trial = Trial(make_task(digits), method, 0)
    epochs, decays = [], []
    while not trial.finished:
        trial.advance(1)
        epochs.append(method.epoch)
        decays.append(method.weight_decay_now)
    # Every reading counts as growth: back to the end of epoch 1, which is after two epochs.
    assert epochs[:3] == [1, 2, 2]
    factors = np.array(decays) / 3e-4
    assert factors[:3] == pytest.approx([1, 1, 3])
    assert factors.max() == pytest.approx(81)
    assert epochs[-1] == 5


def test_darts_ada_raises_its_decay_no_further_than_its_largest() -> None:
    method = prepared(DartsAdaptive(growth=10.0))
    method.past = {}  # nothing to go back to
    method.weight_optimizer.param_groups[0]["weight_decay"] = 0.03  # of at most 0.0243
    method.stop(None, 0)  # type: ignore[arg-type]
    assert method.weight_decay_now == 0.03


def test_perturbation_takes_the_operation_that_is_missed_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    method = prepared(DartsPt(epochs=1, tuning=1))
    method.decided = [-1] * 6
    missed = [3, 1, 4, 2, 0, 3]

    def accuracy(mixes: list[Mix], data: object = None) -> float:
        """90 %, and 40 points less without the operation that matters on its edge."""
        rows = enumerate(mixes[0].operations)
        return 90.0 - sum(40.0 for edge, row in rows if row[missed[edge]] == 0)

    monkeypatch.setattr(method, "accuracy", accuracy)
    for count in range(1, 7):
        method.decide()
        assert sum(choice >= 0 for choice in method.decided) == count
    assert method.decided == missed
    assert method.derive() == missed
    torch.testing.assert_close(
        method.mixes()[0].operations.detach(), torch.eye(5, dtype=torch.double)[missed]
    )


@pytest.mark.parametrize("name", ["vs-darts", "gdas", "drnas", "pc-darts"])
def test_other_methods_are_decided_by_perturbation_too(digits: Benchmark, name: str) -> None:
    method = short(name, epochs=1, tuning=1, selection="perturbation", allow_none=False)
    result = search(digits, method)
    assert isinstance(method, DifferentiableSearch)
    assert len(result.record.recommended) == 1 + 5
    assert 0 not in method.decided
    assert len(method.decided) == 6
    assert SPACE.index(method.derive()) == result.record.recommended[-1]
    told = [float(entry.value) for entry in result.diagnostics if entry.name == "entropy"]
    assert told[0] > told[-1] == 0  # an edge that is decided has none
    with pytest.raises(SuiteError, match="mixes no operations"):
        search(digits, short("rsps", selection="perturbation"))


def test_shapley_values_are_what_removals_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    method = prepared(make_method("shapley-nas", {"orders": 3}))  # type: ignore[arg-type]
    worth = torch.arange(30, dtype=torch.double).view(6, 5) / 30

    def accuracy(mixes: list[Mix], data: object = None) -> float:
        return 50 + float((worth * (mixes[0].operations > 0)).sum())

    monkeypatch.setattr(method, "accuracy", accuracy)
    torch.testing.assert_close(method.shapley_values()[0], worth)  # the same in every order
    before = method.alphas[0].detach().clone()
    method.follow([worth])
    moved = method.alphas[0].detach() - before
    scaled = (worth - worth.mean()) / worth.std()
    torch.testing.assert_close(moved, 0.1 * 0.2 * scaled, rtol=0, atol=5e-4)


def test_shapley_nas_derives_no_operation_that_is_worth_nothing_for_certain() -> None:
    method = ShapleyNas(orders=2, valid_batch=50)
    method.prepare(DIGITS, np.random.default_rng(0))
    (values,) = method.shapley_values()
    assert values[:, 0].tolist() == [0.0] * 6  # none
    assert (values[:, 1:] < 0).any()
    with torch.no_grad():
        method.alphas[0][:, 0] = 1.0
    assert 0 not in method.choices()[0]


def test_is_darts_shrinks_to_one_operation_an_edge(digits: Benchmark) -> None:
    method = short("is-darts", epochs=5)
    search(digits, method)
    assert method.alive.sum(1).tolist() == [1.0] * 6  # type: ignore[attr-defined]
    assert float(method.alive[:, 0].sum()) == 0  # type: ignore[attr-defined]


def test_lambda_darts_follows_the_gradient_of_the_alignment() -> None:
    """Against the gradient of the mean cosine, differentiated twice, without kinks in the net."""
    method = prepared(LambdaDarts(epochs=2, difference=1e-5))
    train = batch(0, 8)
    with torch.no_grad():
        mixes = method.mixes()
    shifts = [
        torch.zeros(6, 5, dtype=torch.double, requires_grad=True) for _ in cells_of(method.supernet)
    ]
    with shifted(method.supernet, shifts):
        loss = method.loss(train, mixes)
        one, other = torch.autograd.grad(loss, shifts, create_graph=True)
        alignment = F.cosine_similarity(one.flatten(), other.flatten(), dim=0)
        plain = torch.autograd.grad(loss, method.weights, retain_graph=True)
        wanted = torch.autograd.grad(alignment, method.weights, materialize_grads=True)
    method.epoch, method.clip = 1, 1e30
    method.update_weights(train)
    added = torch.cat([(w.grad - g).flatten() for w, g in zip(method.weights, plain, strict=True)])
    expected = -method.strength * torch.cat([w.flatten() for w in wanted])
    assert float(F.cosine_similarity(added, expected, dim=0)) > 0.999
    assert float(added.norm() / expected.norm()) == pytest.approx(1, abs=0.02)


def test_the_most_probable_architectures_are_those_of_the_whole_list() -> None:
    strength = torch.rand(6, 5, dtype=torch.double).softmax(-1)
    totals = strength.log().numpy()[np.arange(6), SPACE.all_vectors].sum(1)
    expected = [SPACE.all_vectors[i].tolist() for i in np.argsort(-totals)[:50]]
    assert most_probable(strength.log(), 50) == expected


def test_gm_nas_compares_gradients_in_what_the_operations_of_an_edge_share() -> None:
    """Against all gradients, those on the edge itself left out by hand."""
    method = prepared(GmNas(epochs=4))
    method.allowed = torch.ones(6, 5, dtype=torch.bool)
    weights = shared_weights(method.supernet, 4)
    names = {
        name
        for name, weight in method.supernet.named_parameters()
        if not any(weight is shared for shared in weights)
    }
    assert names == {
        *("stem.conv.weight", "stem.norm.weight", "stem.norm.bias", "norm.weight", "norm.bias"),
        *("classifier.weight", "classifier.bias"),
        *(  # edge 4 leads from node 1 to node 3, the second of the edges that leave node 1
            f"{cell}_cell.mixed.1.operations.nor_conv_{size}.convolutions.1.weight"
            for cell in ("first", "second")
            for size in ("1x1", "3x3")
        ),
    }
    mix = method.mixes()[0].operations.detach().clone()
    mix[4] = torch.eye(5, dtype=torch.double)[3]
    images, labels = batch(0)
    loss = F.cross_entropy(method.supernet(images, [Mix(mix)]), labels)
    expected = torch.cat([g.flatten() for g in torch.autograd.grad(loss, weights)])
    torch.testing.assert_close(method.gradient((images, labels), 4, 3, weights), expected)


def test_gm_nas_ends_in_supernets_that_have_every_architecture_once(
    digits: Benchmark, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(GmNas, "distances", lambda self, edge: torch.rand(4, 4))
    monkeypatch.setattr(GmNas, "update_weights", lambda self, train: 0.0)
    method, other = (GmNas(order=1, epochs=4, batch_size=200, allow_none=False) for _ in range(2))
    trial, resumed = (Trial(make_task(digits), made, 0) for made in (method, other))
    trial.advance(1)  # of the whole supernet, which is split behind it
    depths, alphas, ends = [], [], []
    for number in range(10):
        depths.append(method.depth)
        alphas.append(method.alphas[0].detach().clone())
        if number == 1:
            assert trial.save(tmp_path / "second half waits.npz")
        if number in (2, 4, 6, 8):
            ends.append(method.allowed.numpy().astype(int))
        trial.advance(1)
    assert method.finished
    assert depths == [1, 1, *[2] * 8]
    assert torch.equal(alphas[0], alphas[1]), "the weights alone are trained before the last split"
    assert len({str(alpha) for alpha in alphas[2:]}) == 8
    held = [functools.reduce(np.multiply.outer, end) for end in ends]
    assert sum(held).max() == 1
    assert sum(held).sum() == 4**6
    derived = [SPACE.vector(int(index)) for index in trial.result().record.architectures]
    assert [bool(has[tuple(vector)]) for has, vector in zip(held, derived, strict=True)] == [
        True
    ] * 4
    resumed.load(tmp_path / "second half waits.npz")
    resumed.advance()
    assert_same(resumed.result(), trial.result())
    with pytest.raises(SuiteError, match="epochs before and behind"):
        search(digits, short("gm-nas", epochs=2, splits=4))


def test_the_score_of_zero_cost_pt_is_that_of_single_modules() -> None:
    """Every ReLU before a convolution counts, on edges whose weight is zero too."""
    method = prepared(make_method("zero-cost-pt"))  # type: ignore[arg-type]
    plain = PlainSupernet(method.supernet).double()
    x, _ = batch(0)
    weights = torch.rand(6, 5, dtype=torch.double)
    count = torch.zeros(16, 16, dtype=torch.double)

    def note(x: torch.Tensor) -> None:
        nonlocal count
        opened = (x.flatten(1) > 0).double()
        count = count + opened @ opened.T + (1 - opened) @ (1 - opened).T

    relus = [module for module in plain.modules() if isinstance(module, torch.nn.ReLU)]
    assert len(relus) == 2 * 6 * 2
    handles = [relu.register_forward_hook(lambda _, given, __: note(given[0])) for relu in relus]
    handles.append(plain.norm.register_forward_hook(lambda _, __, out: note(out)))
    plain(x, weights)
    for handle in handles:
        handle.remove()
    with agreements(method.supernet) as found:
        method.supernet(x, [Mix(weights)])
    torch.testing.assert_close(found.total.double(), count)


@pytest.mark.parametrize("kind", [Rsps, Spos])
def test_shared_weights_are_searched_for_the_best_inherited_accuracy(
    kind: type[Rsps], monkeypatch: pytest.MonkeyPatch
) -> None:
    method = prepared(kind(epochs=1))
    method.epoch = 1
    seen: list[list[int]] = []

    def worth(architecture: list[list[int]]) -> float:
        seen.append(architecture[0])
        return float(sum(choice == 3 for choice in architecture[0]))

    monkeypatch.setattr(method, "inherited_accuracy", worth)
    found = method.derive()
    best = max(seen, key=lambda choice: choice.count(3))
    assert found.count(3) == best.count(3)
    if kind is Rsps:
        assert len(seen) == 100
    else:
        assert len(set(map(tuple, seen))) == len(seen), "nothing is scored twice"
        assert found.count(3) == 6


# -- the whole search ------------------------------------------------------------------------------


def assert_same(one: TrialResult, other: TrialResult) -> None:
    for name in ("recommended", "epochs", "architectures"):
        assert np.array_equal(getattr(one.record, name), getattr(other.record, name))
    assert np.array_equal(one.incumbents.architectures, other.incumbents.architectures)
    assert len(one.diagnostics) == len(other.diagnostics)
    for ours, theirs in zip(one.diagnostics, other.diagnostics, strict=True):
        assert (ours.step, ours.name) == (theirs.step, theirs.name)
        assert np.array_equal(ours.value, theirs.value), (ours.name, ours.step)


SUPERNETS = tuple(
    name
    for name in registry.entries("methods")
    if issubclass(method_class(name), DifferentiableSearch)
)
# One of each way to keep a state; the others take as long again and are left to -m slow.
OF_EACH_KIND = ("darts", "vs-darts", "gdas", "drnas", "spos", "enas", "r-darts")


class TestSupernets(SupernetContract):
    names = OF_EACH_KIND
    settings: ClassVar[dict[str, dict[str, Any]]] = {
        **SHORT,
        "latency-sweep": {"epochs": 2, "batch_size": 200, "searches": 2, "latency_target": 1.0},
    }

    @pytest.fixture(autouse=True)
    def priced(self, tmp_path: Path) -> None:
        """A table of latencies for the method that needs one."""
        table = {"latency_table": latency_file(tmp_path)}
        sweep = {**type(self).settings["latency-sweep"], **table}
        self.settings = {**type(self).settings, "latency-sweep": sweep}  # type: ignore[misc]


@pytest.mark.slow
class TestOtherSupernets(TestSupernets):
    names = tuple(name for name in SUPERNETS if name not in OF_EACH_KIND)


def test_second_order_searches_too(digits: Benchmark) -> None:
    result = search(digits, short("darts", order=2, epochs=1))
    assert len(result.record.recommended) == 1


def test_results_and_diagnostics_do_not_depend_on_the_workers(
    digits: Benchmark, tmp_path: Path
) -> None:
    methods = [(name, short(name, epochs=2)) for name in ("vs-darts", "gdas")]
    tables = []
    for jobs in (1, 2):
        path = tmp_path / f"{jobs}.sqlite"
        run(digits, methods, seeds=[0], jobs=jobs, store=path)
        with ResultStore(path, read_only=True) as store:
            trials = store.trials().sort_values(["method", "seed"])
            diagnostics = store.diagnostics("alpha")
        merged = diagnostics.merge(trials, on="trial")
        merged = merged.sort_values(["method", "seed", "step"])
        tables.append(merged)
    assert len(tables[0]) == 4
    for column in ("method", "seed", "step", "architecture", "report"):
        assert tables[0][column].tolist() == tables[1][column].tolist()
    assert all(
        np.array_equal(a, b) for a, b in zip(tables[0]["value"], tables[1]["value"], strict=True)
    )
    assert tables[0]["value"].iloc[0].shape == (30,)


def test_what_is_logged_is_what_it_says(digits: Benchmark) -> None:
    method = short("vs-darts", inherited=4, eigenvalue_every=3)
    result = search(digits, method)
    last = {d.name: d.value for d in result.diagnostics if d.step == 3}
    alpha = torch.tensor(last["alpha"].reshape(6, 5))
    entropy = stats.entropy(alpha.softmax(-1).numpy(), axis=1).mean()
    assert last["entropy"] == pytest.approx(entropy)
    with torch.no_grad():
        mixed = method.accuracy(method.mixes())
        derived = method.accuracy(method.discrete_mixes())
    assert last["supernet_accuracy"] == pytest.approx(mixed)
    assert last["discretisation_gap"] == pytest.approx(mixed - derived)
    assert last["edge_variance"].shape == (2, 6)
    assert last["node_variance"] == pytest.approx(1, abs=0.01)
    assert np.isfinite(last["dominant_eigenvalue"])
    assert len(last["inherited_index"]) == len(last["inherited_accuracy"]) == 4
    for index, accuracy in zip(last["inherited_index"], last["inherited_accuracy"], strict=True):
        mixes = method.discrete_mixes([SPACE.vector(int(index))])
        assert method.accuracy(mixes) == accuracy
    steps = [d.step for d in result.diagnostics if d.name == "alpha"]
    assert steps == [1, 2, 3]


def test_none_is_derived_unless_forbidden(digits: Benchmark) -> None:
    method = short("darts", epochs=1)
    search(digits, method)
    with torch.no_grad():
        method.alphas[0][:, 0] = 5.0
    assert method.derive() == [0] * 6
    method.allow_none = False
    assert 0 not in method.derive()


def test_a_diverging_search_fails_and_the_others_go_on(digits: Benchmark, tmp_path: Path) -> None:
    methods = [
        ("wild", Darts(epochs=2, batch_size=100, learning_rate=1e30, clip=1e30)),
        ("calm", Darts(epochs=1, batch_size=100)),
    ]
    run(digits, methods, seeds=[0], store=tmp_path / "r.sqlite")
    with ResultStore(tmp_path / "r.sqlite", read_only=True) as store:
        trials = store.trials().set_index("method")
    assert trials["status"].to_dict() == {"wild": "failed", "calm": "finished"} or set(
        trials["status"]
    ) == {"failed", "finished"}
    (message,) = trials.loc[trials["status"] == "failed", "message"]
    assert "diverged in epoch" in message
    assert "learning rates" in message


def test_not_a_number_in_alpha_is_a_divergence(digits: Benchmark) -> None:
    method = short("darts")
    trial = Trial(make_task(digits), method, 0)
    trial.advance(1)
    with torch.no_grad():
        method.alphas[0][0, 0] = float("nan")
    with pytest.raises(SuiteError, match="diverged in epoch 2"):
        trial.advance()


def test_a_space_without_a_supernet_is_refused() -> None:
    task = make_task(load_open("live:digits", "nasbench-macro"))
    with pytest.raises(SuiteError, match="supernets of nats-tss and of the DARTS spaces alone"):
        Trial(task, Darts(), 0)


def test_images_that_are_not_there_fail_the_trial(toy: Benchmark) -> None:
    with pytest.raises(SuiteError, match="Unknown data set 'toy'"):
        Trial(make_task(toy), Darts(), 0).advance()
