"""The supernet: its values, gradients, variances, its images, and what is seen inside."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from nasbench_suite.benchmarks import load_benchmark
from nasbench_suite.benchmarks.digits.training import load_digits_data
from nasbench_suite.datasets import import_images
from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import parse_methods
from nasbench_suite.spaces import load_space
from nasbench_suite.tasks.methods import make_method, method_label

torch = pytest.importorskip("torch", reason="supernets need the extra 'torch'")

from plain_supernet import PlainSupernet  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from nasbench_suite.networks.module import LayersModule  # noqa: E402
from nasbench_suite.networks.nats import digits_network  # noqa: E402
from nasbench_suite.spaces.cells import Cell  # noqa: E402
from nasbench_suite.spaces.topology import OPERATIONS, live_edges  # noqa: E402
from search_methods.supernet.cell import (  # noqa: E402
    Mix,
    MixedOperations,
    discretise,
    single_path,
)
from search_methods.supernet.data import load_search_data  # noqa: E402
from search_methods.supernet.diagnostics import (  # noqa: E402
    dominant_eigenvalue,
    hessian_product,
    record_variances,
)
from search_methods.supernet.latency import LatencyModel, fit_latency, read_latency  # noqa: E402
from search_methods.supernet.network import (  # noqa: E402
    CellOptions,
    DigitsSupernet,
    TopologySupernet,
    count_parameters,
)
from search_methods.supernet.operations import Separable, normalise, one_in_four  # noqa: E402

SPACE = load_space("nats-tss")
DIGITS = load_search_data("digits")


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def images(count: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    x, y = DIGITS.train
    return x[:count].double(), y[:count]


@pytest.mark.parametrize("nodes", ["none", "all"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_supernet_computes_what_single_modules_compute(
    nodes: str, layout: torch.memory_format
) -> None:
    net = DigitsSupernet(DIGITS, CellOptions(nodes)).double().to(memory_format=layout)
    plain = PlainSupernet(net, normalised=nodes == "all").double()
    alpha = torch.randn(6, 5, dtype=torch.double, requires_grad=True)
    x, y = images()
    losses = [
        F.cross_entropy(net(x.contiguous(memory_format=layout), [Mix(alpha.softmax(-1))]), y),
        F.cross_entropy(plain(x, alpha.softmax(-1)), y),
    ]
    torch.testing.assert_close(losses[0], losses[1])
    ours, theirs = zip(*plain.convolutions, strict=True)
    for loss, convolutions in zip(losses, (ours, theirs), strict=True):
        gradients = torch.autograd.grad(loss, [alpha, *(conv.weight for conv in convolutions)])
        if convolutions is ours:
            expected = gradients
    for gradient, other in zip(expected, gradients, strict=True):
        torch.testing.assert_close(gradient, other)


@pytest.mark.parametrize("seed", range(5))
def test_one_path_is_the_mixture_with_weights_one_and_zero(seed: int) -> None:
    net = DigitsSupernet(DIGITS, CellOptions()).double()
    choice = SPACE.vector(SPACE.sample(np.random.default_rng(seed)))
    path = single_path(choice, torch.zeros(6, 5, dtype=torch.double))
    x, _ = images()
    torch.testing.assert_close(net(x, [path]), net(x, [Mix(path.operations)]))


@pytest.mark.parametrize("seed", range(3))
def test_a_discrete_supernet_is_the_network_of_the_benchmark(seed: int) -> None:
    """Same skeleton, same cells: with the weights carried over, both give the same scores."""
    choice = SPACE.vector(SPACE.sample(np.random.default_rng(seed)))
    supernet = DigitsSupernet(DIGITS, CellOptions()).double()
    network = LayersModule(digits_network(choice)).double().train()
    weights: list[nn.Module] = [supernet.stem.conv, supernet.stem.norm]
    for cell in (supernet.first_cell, supernet.second_cell):
        for edge, operation in enumerate(live_edges(choice)):
            if "conv" in OPERATIONS[operation]:
                (mixed,) = (each for each in cell.mixed if edge in each.edges)
                kernels = mixed.operations[OPERATIONS[operation]].convolutions
                weights += [kernels[mixed.edges.index(edge)], nn.BatchNorm2d(0)]
        if cell is supernet.first_cell:
            weights += [supernet.reduction.conv, supernet.reduction.norm]
    weights += [supernet.norm, supernet.classifier]
    held = [layer for layer in network.layers if list(layer.parameters())]
    for ours, theirs in zip(weights, held, strict=True):
        if list(ours.parameters()) and ours.weight.numel():
            theirs.load_state_dict(ours.state_dict(), strict=False)
    x, _ = images()
    path = single_path(choice, torch.zeros(6, 5, dtype=torch.double))
    torch.testing.assert_close(supernet(x, [path]), network(x))


def test_the_published_skeleton_has_the_published_number_of_weights() -> None:
    """NAS-Bench-201's own search network, counted in its authors' code."""
    data = type(DIGITS)("x", (torch.zeros(1, 3, 32, 32), torch.zeros(1)), DIGITS.valid, 10, F.relu)
    # Theirs has biases before batch normalisation, which takes them out again: two convolutions on
    # six edges of five cells in stages of 16, 32 and 64 channels.
    biases = 2 * 6 * 5 * (16 + 32 + 64)
    assert count_parameters(TopologySupernet(data, CellOptions())) == 1_692_826 - biases


def test_partial_channels_go_by_the_operations_and_are_shuffled() -> None:
    layout = Cell(1, 2, (("skip_connect", "nor_conv_3x3"),))
    mixed = MixedOperations(layout, 0, 8, share=4).double()
    x = torch.randn(2, 8, 5, 5, dtype=torch.double)
    (out,) = mixed(x, Mix(torch.tensor([[0.25, 0.0]], dtype=torch.double)))
    joined = torch.cat([x[:, :2] / 4, x[:, 2:]], dim=1)
    order = [group * 2 + member for member in range(2) for group in range(4)]
    torch.testing.assert_close(out, joined[:, order])


# -- variance -----------------------------------------------------------------------------------


def edge_variance(weights: torch.Tensor) -> float:
    """Of a mixture of eight independent convolutions at initialisation, each of unit variance."""
    torch.manual_seed(1)
    x = F.relu(torch.randn(64, 32, 8, 8))
    outputs = [normalise(torch.nn.Conv2d(32, 32, 3, padding=1, bias=False)(x)) for _ in range(8)]
    mixture = sum(w * out for w, out in zip(weights, outputs, strict=True))
    return float(mixture.var((0, 2, 3)).mean())


@pytest.mark.parametrize("sharpness", [0.0, 0.5, 1.0, 2.0, 4.0, 50.0])
def test_the_square_root_keeps_unit_variance_and_softmax_does_not(sharpness: float) -> None:
    beta = (sharpness * torch.linspace(-1, 1, 8)).softmax(0)
    with torch.no_grad():
        assert edge_variance(beta.sqrt()) == pytest.approx(1, abs=0.05)
        assert edge_variance(beta) == pytest.approx(float(beta.square().sum()), rel=0.05)


def test_normalised_nodes_have_unit_variance() -> None:
    net = DigitsSupernet(DIGITS, CellOptions("inner"))
    x, _ = images(64)
    with torch.no_grad(), record_variances(net) as variances:
        net(x.float(), [Mix(torch.full((6, 5), 0.2))])
    nodes, edges = variances.node_values(), variances.edge_values()
    assert nodes.shape == (2, 3)
    assert edges.shape == (2, 6)
    assert nodes[:, :2] == pytest.approx(1, abs=1e-3)
    assert (np.abs(nodes[:, 2] - 1) > 0.01).all()
    assert not net.first_cell.mixed[0]._forward_hooks, "hooks are taken off again"


def test_recorded_variances_are_those_of_the_tensors() -> None:
    net = DigitsSupernet(DIGITS, CellOptions())
    x, _ = images(16)
    choice = [1, 0, 1, 0, 0, 1]  # input to node 1 to node 2 to output, all by skip connections
    with torch.no_grad(), record_variances(net) as variances:
        net(x.float(), [single_path(choice, torch.zeros(6, 5))])
        stem = float(net.stem(x.float()).var((0, 2, 3), correction=0).mean())
    assert variances.node_values()[0] == pytest.approx(stem)
    assert variances.edge_values()[0] == pytest.approx(np.array([1, 0, 1, 0, 0, 1]) * stem)


# -- curvature ----------------------------------------------------------------------------------


def test_the_dominant_eigenvalue_is_that_of_the_whole_hessian() -> None:
    alpha = torch.randn(6, 5, dtype=torch.double, requires_grad=True)
    net = DigitsSupernet(DIGITS, CellOptions()).double()
    x, y = images()

    def loss(a: torch.Tensor = alpha) -> torch.Tensor:
        return F.cross_entropy(net(x, [Mix(a.softmax(-1))]), y)

    hessian = torch.autograd.functional.hessian(loss, alpha).reshape(30, 30)
    largest = float(torch.linalg.eigvalsh(hessian)[-1])
    assert dominant_eigenvalue(loss, [alpha]) == pytest.approx(largest, rel=1e-3)
    assert dominant_eigenvalue(loss, [alpha], 1e-9) == pytest.approx(largest, rel=1e-8)
    vector = torch.randn(30, dtype=torch.double)
    torch.testing.assert_close(hessian_product(loss(), [alpha])(vector), hessian @ vector)


# -- derivation and latency ---------------------------------------------------------------------


def test_derivation_takes_the_strongest_and_may_leave_none_out() -> None:
    strength = torch.tensor([[0.6, 0.1, 0.3], [0.2, 0.5, 0.3]])
    names = (("none", "skip_connect", "nor_conv_3x3"),) * 2
    layout = Cell(2, 3, names)
    assert discretise(strength, layout) == [0, 1]
    assert discretise(strength, layout, allow_none=False) == [2, 1]
    assert discretise(strength, Cell(2, 3, names, kept=1)) == [-1, 1]


def test_expected_latency_is_the_mean_over_architectures() -> None:
    rng = np.random.default_rng(0)
    table = torch.tensor(rng.uniform(1, 5, (6, 5)))
    truth = LatencyModel(7.0, table)
    indices = rng.choice(SPACE.size, 400, replace=False)
    times = 7.0 + table.numpy()[np.arange(6), SPACE.all_vectors[indices]].sum(1)
    fitted = fit_latency(SPACE, indices, times)
    assert fitted.error < 1e-9
    probabilities = torch.tensor(rng.dirichlet(np.ones(5), 6))
    drawn = np.stack([rng.choice(5, 200_000, p=row) for row in probabilities.numpy()], axis=1)
    mean = 7.0 + table.numpy()[np.arange(6), drawn].sum(1).mean()
    assert float(fitted.expected(probabilities)) == pytest.approx(mean, rel=2e-3)
    assert float(fitted.expected(probabilities)) == pytest.approx(
        float(truth.expected(probabilities)), rel=1e-5
    )


def test_the_penalty_is_a_soft_hinge_at_the_target() -> None:
    model = LatencyModel(10.0, torch.zeros(6, 5))
    uniform = torch.full((6, 5), 0.2)
    assert float(model.penalty(uniform, 5.0)) == pytest.approx(1.0, abs=1e-4)
    assert float(model.penalty(uniform, 10.0)) == pytest.approx(np.log(2) / 10)
    assert float(model.penalty(uniform, 100.0)) < 1e-4


def test_latency_tables_are_read_and_refused(tmp_path: Path) -> None:
    import pandas as pd

    operations = pd.DataFrame({"operation": ["skip_connect", "nor_conv_1x1"], "cpu": [0.1, 0.5]})
    operations.to_csv(tmp_path / "short.csv", index=False)
    with pytest.raises(SuiteError, match="no time for operation 'nor_conv_3x3'"):
        read_latency(tmp_path / "short.csv", "cpu", SPACE)
    with pytest.raises(SuiteError, match=r"column 'gpu' of "):
        read_latency(tmp_path / "short.csv", "gpu", SPACE)
    more = pd.DataFrame({"operation": ["nor_conv_3x3", "avg_pool_3x3"], "cpu": [0.9, 0.3]})
    pd.concat([operations, more]).to_csv(tmp_path / "whole.csv", index=False)
    model = read_latency(tmp_path / "whole.csv", "cpu", SPACE)
    all_skips = torch.tensor([[0.0, 1, 0, 0, 0]] * 6)
    assert float(model.expected(all_skips)) == pytest.approx(0.6)
    bad = pd.DataFrame({"arch": SPACE.all_strings[:50], "ms": [1.0] * 49 + [float("nan")]})
    bad.to_parquet(tmp_path / "bad.parquet")
    with pytest.raises(SuiteError, match="positive and finite"):
        read_latency(tmp_path / "bad.parquet", "ms", SPACE)
    (tmp_path / "no.parquet").write_text("no table")
    for name in ("no.parquet", "none.csv"):
        with pytest.raises(SuiteError, match=r"no.parquet|none.csv"):
            read_latency(tmp_path / name, "ms", SPACE)


def test_a_model_fitted_to_a_real_device_ranks_its_architectures(shared_data: Path) -> None:
    from scipy import stats

    file = shared_data / "nasbench201" / "latency_ms.parquet"
    import pandas as pd

    frame = pd.read_parquet(file)
    model = read_latency(file, "pixel3", SPACE)
    table = model.table.numpy()
    predicted = table[np.arange(6), SPACE.all_vectors].sum(1)
    measured = frame["pixel3"].to_numpy()
    assert stats.spearmanr(predicted, measured).statistic > 0.9


def test_a_benchmark_gives_latencies_by_its_name() -> None:
    digits = load_benchmark("digits")
    model = read_latency("digits", "onnxruntime_ms", SPACE)
    predicted = model.constant + model.table.numpy()[np.arange(6), SPACE.all_vectors].sum(1)
    residuals = predicted - digits.values("onnxruntime_ms")
    assert np.sqrt(np.mean(residuals**2)) == pytest.approx(model.error, rel=1e-4)
    with pytest.raises(SuiteError, match="no_such_ms"):
        read_latency("digits", "no_such_ms", SPACE)
    with pytest.raises(SuiteError, match="latencies of nats-tss, not of nats-sss"):
        read_latency("digits", "onnxruntime_ms", load_space("nats-sss"))


# -- images -------------------------------------------------------------------------------------


def test_digits_are_halves_of_the_training_images_of_the_benchmark() -> None:
    whole = load_digits_data().train[0].flatten(1)
    halves = torch.cat([DIGITS.train[0], DIGITS.valid[0]]).flatten(1)
    assert sorted(map(tuple, whole.tolist())) == sorted(map(tuple, halves.tolist()))
    assert len(DIGITS.train[1]) == len(DIGITS.valid[1]) == 400


def write_cifar10(folder: Path, size: int = 32, classes: int = 10) -> np.ndarray:
    place = folder / "cifar-10-batches-py"
    place.mkdir()
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, (100, 3 * size * size), dtype=np.uint8)
    for number in range(5):
        part = slice(20 * number, 20 * number + 20)
        content = {"data": rows[part], "labels": [i % classes for i in range(20)]}
        with (place / f"data_batch_{number + 1}").open("wb") as file:
            pickle.dump(content, file, protocol=2)
    return rows


def test_cifar_is_read_from_its_folder(tmp_path: Path) -> None:
    rows = write_cifar10(tmp_path)
    data = load_search_data("cifar10", tmp_path)
    assert data.train[0].shape == data.valid[0].shape == (50, 3, 32, 32)
    assert torch.bincount(data.train[1]).tolist() == [5] * 10
    both = torch.cat([data.train[0], data.valid[0]])
    assert float(both.mean()) == pytest.approx(0, abs=1e-5)
    assert both.std((0, 2, 3), correction=0) == pytest.approx(1, abs=1e-4)
    pixels = rows.reshape(100, 3, 32, 32).astype(np.float64) / 255
    scaled = (pixels - pixels.mean((0, 2, 3), keepdims=True)) / pixels.std((0, 2, 3), keepdims=True)
    known = {np.round(image, 3).tobytes() for image in scaled.astype(np.float32)[:, :, :2, :2]}
    found = {np.round(image, 3).tobytes() for image in both.numpy()[:, :, :2, :2]}
    assert len(known & found) > 90
    crops = data.augment(data.train[0])
    assert crops.shape == data.train[0].shape
    centre = data.train[0][:, :, 12:20, 12:20]
    assert not torch.equal(crops[:, :, 12:20, 12:20], centre)


def test_a_search_takes_as_many_images_as_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path / "home"))
    write_cifar10(tmp_path)
    (tmp_path / "cifar-10-batches-py" / "test_batch").write_bytes(
        (tmp_path / "cifar-10-batches-py" / "data_batch_1").read_bytes()
    )
    import_images("cifar10", tmp_path)
    whole = load_search_data("cifar10")
    direct = load_search_data("cifar10", tmp_path)
    assert torch.equal(whole.train[0], direct.train[0])
    reduced = load_search_data("cifar10", "cifar10[images=40,resolution=8]")
    assert reduced.name == "cifar10[images=40,resolution=8]"
    assert reduced.train[0].shape == reduced.valid[0].shape == (20, 3, 8, 8)
    both = torch.cat([reduced.train[0], reduced.valid[0]])
    assert both.std((0, 2, 3), correction=0) == pytest.approx(1, abs=1e-4)
    settings = {"data": reduced.name, "epochs": 1}
    ((name, read),) = parse_methods(method_label("darts", make_method("darts", settings)))
    assert (name, read) == ("darts", {"data": reduced.name, "epochs": "1"})


class Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("ran"),))


def test_image_files_are_refused_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SuiteError, match="did you mean 'cifar10'"):
        load_search_data("cifar1O", tmp_path)
    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path / "home"))
    with pytest.raises(SuiteError, match="nasbench data images cifar10"):
        load_search_data("cifar10")
    with pytest.raises(SuiteError, match="no folder"):
        load_search_data("cifar10", tmp_path)
    write_cifar10(tmp_path)
    batch = tmp_path / "cifar-10-batches-py" / "data_batch_3"
    whole = batch.read_bytes()
    batch.write_bytes(whole[:-100])
    with pytest.raises(SuiteError, match="data_batch_3 is truncated, damaged"):
        load_search_data("cifar10", tmp_path)
    batch.write_bytes(pickle.dumps({"data": Runs(), "labels": []}))
    with pytest.raises(SuiteError, match="which could run code"):
        load_search_data("cifar10", tmp_path)
    assert not (tmp_path / "ran").exists()
    batch.unlink()
    with pytest.raises(SuiteError, match="no file"):
        load_search_data("cifar10", tmp_path)


@pytest.mark.parametrize(("size", "classes", "word"), [(16, 10, "of shape"), (32, 12, "labels")])
def test_images_of_another_kind_are_refused(
    tmp_path: Path, size: int, classes: int, word: str
) -> None:
    write_cifar10(tmp_path, size, classes)
    with pytest.raises(SuiteError, match=word):
        load_search_data("cifar10", tmp_path)


@pytest.mark.parametrize("offset", [0, 1])
def test_one_pixel_in_four_keeps_channels_last_there_and_back(offset: int) -> None:
    x = torch.randn(2, 3, 6, 4).contiguous(memory_format=torch.channels_last).requires_grad_()
    taken = one_in_four(x, offset)
    assert torch.equal(taken, x[:, :, offset::2, offset::2])
    (gradient,) = torch.autograd.grad(taken.square().sum(), x)
    assert gradient.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(gradient[:, :, offset::2, offset::2], 2 * taken)


def test_separable_convolutions_read_channels_last(monkeypatch: pytest.MonkeyPatch) -> None:
    convolve, kept = F.conv2d, []

    def recorded(x: torch.Tensor, *given: object, **named: object) -> torch.Tensor:
        kept.append(x.is_contiguous(memory_format=torch.channels_last))
        return convolve(x, *given, **named)

    monkeypatch.setattr(F, "conv2d", recorded)
    x = torch.randn(4, 8, 6, 6).contiguous(memory_format=torch.channels_last)
    Separable(8, 3, 1, kernel=3, times=2)(x, torch.ones(3), range(3))
    assert kept == [True] * 4
