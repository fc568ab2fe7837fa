"""The networks of all spaces: what they hold is what their publishers counted, and they compute."""

from __future__ import annotations

import ast
from functools import partial

import numpy as np
import pandas as pd
import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.networks import Skeleton, build_network, count_network, describe_network
from nasbench_suite.networks.nats import SIZE_CELL
from nasbench_suite.spaces import load_space

torch = pytest.importorskip("torch")


pytestmark = pytest.mark.usefixtures("one_thread")


# "param size" in the authors' own logs and READMEs, without the auxiliary head.
PUBLISHED_CELLS = {
    3349342: (  # DARTS, second order
        "sep_conv_3x3~0|sep_conv_3x3~1|sep_conv_3x3~0|sep_conv_3x3~1|sep_conv_3x3~1|skip_connect~0"
        "|skip_connect~0|dil_conv_3x3~2 / max_pool_3x3~0|max_pool_3x3~1|skip_connect~2"
        "|max_pool_3x3~1|max_pool_3x3~0|skip_connect~2|skip_connect~2|max_pool_3x3~1"
    ),
    3634678: (  # PC-DARTS
        "sep_conv_3x3~1|skip_connect~0|sep_conv_3x3~0|dil_conv_3x3~1|sep_conv_5x5~0|sep_conv_3x3~1"
        "|avg_pool_3x3~0|dil_conv_3x3~1 / sep_conv_5x5~1|max_pool_3x3~0|sep_conv_5x5~1"
        "|sep_conv_5x5~2|sep_conv_3x3~0|sep_conv_3x3~3|sep_conv_3x3~1|sep_conv_3x3~2"
    ),
    3433798: (  # P-DARTS
        "skip_connect~0|dil_conv_3x3~1|skip_connect~0|sep_conv_3x3~1|sep_conv_3x3~1|sep_conv_3x3~3"
        "|sep_conv_3x3~0|dil_conv_5x5~4 / avg_pool_3x3~0|sep_conv_5x5~1|sep_conv_3x3~0"
        "|dil_conv_5x5~2|max_pool_3x3~0|dil_conv_3x3~1|dil_conv_3x3~1|dil_conv_5x5~3"
    ),
}
EVERY_SPACE = {
    "nats-tss": Skeleton(image=(1, 8, 8), channels=4, cells=1),
    "nats-sss": Skeleton(image=(3, 16, 16), num_classes=120),
    "darts": Skeleton(image=(1, 8, 8), channels=2, cells=3),
    "darts-s1": Skeleton(image=(3, 16, 16), channels=4, cells=2),
    "darts-s4": Skeleton(channels=4, cells=3, auxiliary=True, drop_path=True),
    "nasbench101": Skeleton(image=(1, 8, 8), channels=7, cells=1),
    "nasbench-macro": Skeleton(image=(3, 8, 8), channels=4),
    "transnas101-micro": Skeleton(channels=4, cells=1),
    "transnas101-macro": Skeleton(image=(3, 64, 64), channels=4),
}


@pytest.mark.parametrize("parameters", PUBLISHED_CELLS)
def test_published_darts_cells_have_the_published_number_of_weights(parameters: int) -> None:
    network = describe_network(load_space("darts"), PUBLISHED_CELLS[parameters], Skeleton())
    assert count_network(network)[0] == parameters


def test_networks_of_nasbench101_have_the_published_number_of_weights(shared_data) -> None:
    space = load_space("nasbench101")
    table = pd.read_parquet(shared_data / "nasbench101/partial.parquet").dropna().iloc[::5]
    for row in table.itertuples():
        pair = ast.literal_eval(row.adjacency), ast.literal_eval(row.operations)
        network = describe_network(space, pair, Skeleton())
        assert count_network(network)[0] == row.trainable_parameters
    assert len(table) == 200


def test_networks_of_nasbench_macro_have_the_published_costs(shared_data) -> None:
    """Theirs counts no bias of the classifier among the FLOPs."""
    space = load_space("nasbench-macro")
    table = pd.read_parquet(shared_data / "nasbench_macro/accuracy.parquet").iloc[::100]
    for row in table.itertuples():
        network = describe_network(space, row.arch_str, Skeleton())
        assert count_network(network) == (row.params, row.flops + 10)


def test_networks_of_nats_bench_have_the_published_costs(shared_data) -> None:
    table = pd.read_parquet(shared_data / "nats_official_sample/figures.parquet")
    table = table[table.dataset == "cifar10"].drop_duplicates(["space", "arch"])
    assert len(table) == 6
    for row in table.itertuples():
        network = describe_network(load_space(f"nats-{row.space}"), row.arch, Skeleton())
        parameters, flops = count_network(network)
        assert parameters / 1e6 == pytest.approx(row.params, abs=1e-9)
        assert flops / 1e6 == pytest.approx(row.flop, abs=1e-9)


def note_shape(shapes, module, inputs, output) -> None:
    shapes.append(tuple(output.shape))


@pytest.mark.parametrize("name", EVERY_SPACE)
def test_every_network_computes_and_learns(name: str) -> None:
    """Shapes are as described, all layers hold what is counted, and all weights have gradients."""
    space, skeleton = load_space(name), EVERY_SPACE[name]
    for seed in range(4):
        architecture = space.sample(np.random.default_rng(seed))
        network = build_network(
            space,
            architecture,
            num_classes=skeleton.num_classes,
            image=skeleton.image,
            channels=skeleton.channels,
            cells=skeleton.cells,
            auxiliary=skeleton.auxiliary,
            drop_path=0.3 if skeleton.drop_path else 0.0,
        )
        described = describe_network(space, architecture, skeleton)
        assert network.network == described
        count = len(described.computed)
        held = sum(p.numel() for layer in network.layers[:count] for p in layer.parameters())
        assert held == count_network(described)[0]
        shapes: list[tuple[int, ...]] = []
        hook = partial(note_shape, shapes)
        for layer in network.layers:
            layer.register_forward_hook(hook)
        out = network(torch.randn(2, *skeleton.image))
        for layer, shape in zip(described.layers[1:], shapes, strict=True):
            side = () if layer.kind == "linear" else (layer.size,) * 2
            assert shape == (2, layer.channels, *side), layer
        scores = out if isinstance(out, tuple) else (out,)
        assert len(scores) == (2 if skeleton.auxiliary else 1)
        sum(part.square().sum() for part in scores).backward()
        if name != "darts-s4" and space.is_connected(architecture):
            assert sum(p.grad is not None for p in network.parameters()) > 2
        evaluated = network.eval()(torch.randn(2, *skeleton.image))
        assert evaluated.shape == (2, skeleton.num_classes)


def test_paths_are_dropped_in_training_alone() -> None:
    space = load_space("darts")
    cell = next(iter(PUBLISHED_CELLS.values()))
    network = build_network(space, cell, channels=2, cells=3, drop_path=0.5)
    images = torch.randn(4, 3, 32, 32)
    assert not torch.equal(network(images), network(images))
    network.drop_path = 0.0
    assert torch.equal(network(images), network(images))
    network.drop_path = 0.5
    network.eval()
    assert torch.equal(network(images), network(images))
    dropped = [layer for layer in network.network.layers if layer.kind == "drop_path"]
    # Seven operations other than a skip in each normal cell, and eight in a reduction cell.
    normal, reduction = (part.count("|") + 1 for part in cell.split("/"))
    assert (normal, reduction) == (8, 8)
    assert len(dropped) == (8 - 2) + 2 * (8 - 3)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: build_network(load_space("fbnet"), "0" * 22), "'fbnet' are not known: choose"),
        (lambda: build_network(load_space("nats-tss"), 0, image=(3, 30, 30)), "that 4 divides"),
        (lambda: build_network(load_space("nats-tss"), 0, image=(3, 32, 16)), "square"),
        (lambda: build_network(load_space("nats-tss"), 0, num_classes=1), "2 classes or more"),
        (lambda: build_network(load_space("nats-tss"), 0, channels=0), "1 or more"),
        (lambda: build_network(load_space("nats-tss"), 0, cells=10**9), "1,000 or fewer"),
        (lambda: build_network(load_space("nats-tss"), 0, auxiliary=True), "no auxiliary head"),
        (lambda: build_network(load_space("nats-sss"), 0, channels=8), "says its channels itself"),
        (lambda: build_network(load_space("nasbench-macro"), 0, cells=8), "leave cells out"),
        (
            lambda: build_network(
                load_space("nasbench101"), "011001000 input,maxpool3x3,output", channels=4
            ),
            "give 5 or more",
        ),
        (
            lambda: build_network(
                load_space("darts"), PUBLISHED_CELLS[3349342], image=(3, 16, 16), auxiliary=True
            ),
            "maps of 8x8 and not of 4x4",
        ),
        (lambda: build_network(load_space("nats-tss"), "|none~0|"), "Malformed cell"),
    ],
)
def test_networks_that_cannot_be_built_are_refused(call, sentence: str) -> None:
    with pytest.raises(SuiteError, match=sentence):
        call()


def test_the_networks_of_the_size_space_are_that_cell_s() -> None:
    size, topology = load_space("nats-sss"), load_space("nats-tss")
    ours = describe_network(size, "16:32:32:64:64", Skeleton())
    theirs = describe_network(topology, SIZE_CELL, Skeleton(cells=1))
    assert ours == theirs
