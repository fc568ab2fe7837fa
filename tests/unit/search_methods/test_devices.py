"""Searches and trainings on a GPU, and what a GPU needs that can be tried without one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasbench_suite import load_benchmark
from nasbench_suite.benchmarks.live.recipe import Recipe
from nasbench_suite.errors import SuiteError
from nasbench_suite.proxies import make_batch, score
from nasbench_suite.runner.trial import Trial
from nasbench_suite.spaces import load_space
from nasbench_suite.tasks import make_task
from nasbench_suite.tasks.methods import make_method

torch = pytest.importorskip("torch", reason="supernets need the extra 'torch'")

from nasbench_suite.benchmarks.live.training import Training  # noqa: E402
from search_methods.darts import Darts  # noqa: E402
from search_methods.gdas import Gdas  # noqa: E402
from search_methods.lambda_darts import cells_of, shifted  # noqa: E402
from search_methods.supernet.data import load_search_data  # noqa: E402
from search_methods.supernet.drawing import seed_of  # noqa: E402
from search_methods.supernet.evaluation import Evaluation, evaluate_cells  # noqa: E402
from search_methods.supernet.replaying import Replayed  # noqa: E402
from search_methods.vs_darts import VsDarts  # noqa: E402

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU of CUDA is there")
CELLS = (  # of VS-DARTS, without LARC
    "sep_conv_3x3~1|skip_connect~0|sep_conv_3x3~1|skip_connect~0|sep_conv_3x3~1|"
    "skip_connect~0|sep_conv_5x5~1|max_pool_3x3~0 / max_pool_3x3~0|max_pool_3x3~1|sep_conv_5x5~1|"
    "sep_conv_3x3~2|sep_conv_3x3~0|dil_conv_5x5~1|dil_conv_5x5~3|dil_conv_5x5~4"
)
PROTOCOL = Evaluation(epochs=2, batch_size=400, channels=4, cells=3, auxiliary=0.0)
METHODS = (
    *("darts", "vs-darts", "gdas", "snas", "pc-darts", "drnas", "sdarts-rs", "sdarts-adv"),
    *("darts-minus", "beta-darts", "fair-darts", "rsps", "lambda-darts", "is-darts", "setn"),
)


def prepared(method: Any) -> Any:
    method.prepare(load_search_data("digits"), np.random.default_rng(0))
    return method


def batch(search: Any, size: int) -> Any:
    images, labels = search.images.train
    return images[:size], labels[:size]


def test_a_recorded_network_is_used_for_what_was_recorded_and_nothing_else() -> None:
    calls: list[tuple[int, ...]] = []

    def record(module: Any, sample: Any) -> Any:
        def replay(*arguments: Any) -> Any:
            calls.append(tuple(arguments[0].shape))
            return module(*arguments)

        return replay

    search = prepared(Darts(batch_size=20))
    fast = Replayed(search.supernet, (20, *search.images.train[0].shape[1:]), record)
    whole, part = batch(search, 20)[0], batch(search, 13)[0]
    mixes = search.mixes()
    assert torch.equal(fast(whole, mixes), search.supernet(whole, mixes))
    assert calls == [tuple(whole.shape)]
    assert torch.equal(fast(part, mixes), search.supernet(part, mixes))
    (mix,) = mixes
    for other in (
        dataclasses.replace(mix, edges=torch.ones(6) / 2),
        dataclasses.replace(mix, active=mix.operations.numpy(force=True) > 0.2),
        dataclasses.replace(mix, constants=torch.ones(6)),
    ):
        assert torch.equal(fast(whole, [other]), search.supernet(whole, [other]))
    shifts = [torch.full_like(mix.operations, 0.5) for _ in cells_of(search.supernet)]
    with shifted(search.supernet, shifts):
        assert torch.equal(fast(whole, mixes), search.supernet(whole, mixes))
    assert len(calls) == 1


@pytest.mark.parametrize("settings", [{}, {"device": "cuda", "bfloat16": True}])
def test_graphs_are_refused_where_they_cannot_be(settings: dict[str, Any]) -> None:
    if settings and not torch.cuda.is_available():
        pytest.skip("no GPU of CUDA is there")
    with pytest.raises(SuiteError, match="cuda_graphs=True needs device=cuda"):
        prepared(VsDarts(cuda_graphs=True, **settings))


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_a_device_that_is_not_there_is_refused_before_the_run() -> None:
    task = make_task(load_benchmark("digits"))
    with pytest.raises(SuiteError, match=r"Nothing can be trained on device 'cuda'"):
        Gdas(device="cuda").refuse(task)
    with pytest.raises(SuiteError, match=r"Nothing can be trained on device 'cuda'"):
        next(evaluate_cells(CELLS, "digits", dataclasses.replace(PROTOCOL, device="cuda")))


def test_under_bfloat16_a_search_sees_the_same_losses_roughly() -> None:
    whole, half = prepared(Darts()), prepared(Darts(bfloat16=True))
    losses = [one.loss(batch(one, 100), one.mixes()).item() for one in (whole, half)]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)


@pytest.mark.slow
def test_compiled_a_search_takes_the_same_step() -> None:
    whole, fast = prepared(Darts()), prepared(Darts(compile=True))
    gradients = []
    for search in (whole, fast):
        loss = search.loss(batch(search, 32), search.mixes())
        gradients.append(torch.autograd.grad(loss, search.alphas)[0])
    assert torch.allclose(gradients[0], gradients[1], rtol=1e-4, atol=1e-7)
    assert fast.eigenvalue() == pytest.approx(whole.eigenvalue(), rel=1e-3)


def trajectory(method: str, settings: dict[str, Any], seed: int = 0) -> Any:
    trial = Trial(make_task(load_benchmark("digits")), make_method(method, settings), seed)
    trial.advance()
    result = trial.result()
    return [
        np.asarray(d.value).tolist() for d in result.diagnostics if "variance" not in d.name
    ], result.incumbents.architectures.tolist()


def test_a_device_is_seeded_without_a_draw_of_the_processor() -> None:
    generator = torch.Generator().manual_seed(0)
    state = generator.get_state()
    seeds = [seed_of(generator), seed_of(generator)]
    assert torch.equal(generator.get_state(), state)
    torch.randint(2, (1,), generator=generator)
    assert seeds[0] == seeds[1] != seed_of(generator)


@gpu
@pytest.mark.parametrize("method", METHODS)
def test_on_a_gpu_the_same_seed_gives_the_same_search(method: str) -> None:
    settings = {"epochs": 2, "batch_size": 100, "device": "cuda"}
    assert trajectory(method, settings) == trajectory(method, settings)


@gpu
@pytest.mark.parametrize("method", [Darts, VsDarts])
def test_on_a_gpu_the_first_gradients_are_those_of_the_processor(method: Any) -> None:
    gradients = []
    for device in ("cpu", "cuda"):
        search = prepared(method(device=device))
        with search.randomness():
            loss = search.loss(batch(search, 100), search.mixes())
            gradients.append(torch.autograd.grad(loss, search.alphas)[0].cpu())
    assert torch.allclose(gradients[0], gradients[1], rtol=1e-3, atol=1e-6)


@gpu
def test_replayed_steps_are_those_of_the_network_itself() -> None:
    alphas = []
    for graphs in (False, True):
        search = prepared(VsDarts(device="cuda", cuda_graphs=graphs, epochs=2, batch_size=40))
        with search.randomness():
            search.train_epoch()
        alphas.append(search.alphas[0].detach().cpu())
    assert torch.allclose(alphas[0], alphas[1], rtol=1e-3, atol=1e-5)


@gpu
def test_an_evaluation_on_a_gpu_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    protocol, file = dataclasses.replace(PROTOCOL, device="cuda"), tmp_path / "state.pt"
    whole = list(evaluate_cells(CELLS, "digits", protocol))
    first = next(evaluate_cells(CELLS, "digits", protocol, checkpoint=file))
    assert [first, *evaluate_cells(CELLS, "digits", protocol, checkpoint=file)] == whole


@gpu
def test_a_benchmark_that_trains_gives_the_same_figures_twice_on_a_gpu() -> None:
    recipe = Recipe("digits", epochs=2, channels=8, cells=1, device="cuda")
    space = load_space("nats-tss")
    readings = []
    for _ in range(2):
        training = Training(recipe, space, 8000, (0, "nats-tss"))
        reading = [training.train_epoch() for _ in range(2)]
        readings.append([(one.loss, one.valid, one.test) for one in reading])
    assert readings[0] == readings[1]


@gpu
@pytest.mark.parametrize("proxy", ["synflow", "nwot", "grad-norm", "snip", "jacov", "zen"])
def test_a_proxy_on_a_gpu_is_that_of_the_processor(proxy: str) -> None:
    space, settings = load_space("nats-tss"), {"channels": 8, "cells": 1}
    scores = [
        score(proxy, space, 8000, batch=make_batch("digits", 32, 0), device=device, **settings)
        for device in ("cpu", "cuda")
    ]
    assert scores[0] == pytest.approx(scores[1], rel=1e-2)
