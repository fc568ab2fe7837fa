"""MnasNet's, FBNet's and Once-for-All's spaces against their publishers' encodings."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_space

# A network of HELP (data/ofa/architecture_config/cpu_gold6226/latency_147ms_accuracy_77.6.json).
OFA = {
    "wid": None,
    "ks": [3, 3, 5, 7, 3, 3, 5, 3, 7, 7, 3, 7, 3, 7, 5, 5, 3, 3, 5, 5],
    "e": [3, 3, 4, 3, 6, 4, 3, 4, 6, 4, 6, 6, 6, 4, 4, 6, 6, 6, 6, 3],
    "d": [2, 2, 2, 3, 3],
    "r": 224,
}


def test_sizes():
    assert load_space("mnasnet").size == 3**7 * 2**7 * (3**6 * 4) * 2**7
    assert load_space("fbnet").size == 9**22
    assert load_space("ofa-mbv3").size == 3**45 * 25


def test_all_published_mnasnet_networks_are_read(shared_data):
    space = load_space("mnasnet")
    table = pd.read_parquet(shared_data / "mobile/accel_nasbench_imagenet.parquet")
    networks = [space.read(row) for row in table.to_dict("records")]
    assert len(set(networks)) == 5138 - 13  # 13 networks were measured twice
    assert [space.read(space.string(network)) for network in networks] == networks
    blocks = space.string(networks[0]).split()
    assert blocks[1] == "e4k5l2"
    assert "e1k5l2se" in space.string(networks[-1]).split()


def test_all_published_fbnet_networks_are_read(shared_data):
    space = load_space("fbnet")
    table = pd.read_parquet(shared_data / "mobile/fbnet_latency.parquet")
    assert [space.string(text) for text in table.ops] == table.ops.tolist()
    # HELP's metainfo.pt lists network 0 by the names of its blocks too.
    names = "k5_e6 skip k3_e1_g2 skip k5_e1 skip skip skip k5_e6 k5_e1 k3_e1_g2 k5_e1 k5_e6 k3_e6"
    names += " k3_e3 k5_e6 k3_e6 k3_e3 k5_e1 k3_e3 k5_e1 k5_e1_g2"
    assert space.string(names) == table.ops[0]


def test_published_ofa_network():
    space = load_space("ofa-mbv3")
    network = space.read(json.dumps(OFA))
    assert network == space.read(OFA)
    assert json.loads(space.string(network)) == {k: v for k, v in OFA.items() if k != "wid"}


def test_ofa_layers_beyond_the_depth_do_not_count():
    space = load_space("ofa-mbv3")
    deeper = {**OFA, "ks": [*OFA["ks"][:3], 5, *OFA["ks"][4:]]}  # layer 3 of a stage of two
    other = {**OFA, "ks": [5, *OFA["ks"][1:]]}
    assert space.read(deeper) != space.read(OFA)
    assert space.canonical(deeper) == space.canonical(OFA) != space.canonical(other)


@pytest.mark.parametrize("name", ["mnasnet", "fbnet", "ofa-mbv3"])
def test_drawn_and_changed_networks_are_written_and_read(name):
    space = load_space(name)
    rng = np.random.default_rng(0)
    for _ in range(50):
        network = space.sample(rng)
        child = space.mutate(network, rng)
        assert space.read(space.string(child)) == child
        assert sum(a != b for a, b in zip(network, child, strict=True)) == 1
    assert len(space.neighbours(network)) == sum(space.choices) - len(space.choices)
    features = space.features([network, child])
    assert features.shape == (2, sum(space.choices))
    assert features.sum() == 2 * len(space.choices)
    assert math.isfinite(space.size)


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("mnasnet", "e6k5l1", "7 blocks"),
        ("mnasnet", "e5k5l1 " + "e6k5l1 " * 6, "Block 0 .* expansion 5"),
        ("mnasnet", "e6k5l1 " * 6 + "e6k5l4", "Block 6 .* layers 4"),
        ("mnasnet", {"block0_e": 6}, "needs 'block0_k'"),
        ("fbnet", "1-2-3", "22 numbers"),
        ("fbnet", "-".join("9" * 22), "22 numbers"),
        ("fbnet", "k3_e2", "block 'k3_e2' of FBNet"),
        ("fbnet", (9,) * 22, "no architecture"),
        ("ofa-mbv3", "[1]", "write JSON"),
        ("ofa-mbv3", {**OFA, "d": [2, 2, 2, 3]}, "needs 'd'"),
        ("ofa-mbv3", {**OFA, "r": 100}, "needs 'r'"),
        ("ofa-mbv3", {**OFA, "ks": "3"}, "needs 'ks'"),
    ],
)
def test_what_is_no_network_is_refused(name, given, sentence):
    with pytest.raises(SuiteError, match=sentence):
        load_space(name).read(given)
