"""The DARTS cell space: published counts and cells, subspaces, and searching in them."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.tasks.methods import make_method

torch = pytest.importorskip("torch", reason="supernets need the extra 'torch'")

from search_methods.supernet.cell import Mix, discretise, single_path  # noqa: E402
from search_methods.supernet.darts_space import (  # noqa: E402
    DartsSupernet,
    darts_family,
    darts_layouts,
    find_darts_space,
)
from search_methods.supernet.data import SearchData, load_search_data  # noqa: E402
from search_methods.supernet.drift import variance_drift  # noqa: E402
from search_methods.supernet.network import CellOptions, count_parameters  # noqa: E402

DIGITS = load_search_data("digits")
DARTS = find_darts_space("darts")
SPACES = {name: find_darts_space(name) for name in ("darts", "s1", "s2", "s3", "s4")}
CIFAR = SearchData("x", (torch.zeros(1, 3, 32, 32), torch.zeros(1)), DIGITS.valid, 10, torch.relu)
# The best cells of VS-DARTS (BMVC 2021), normal and reduction.
PUBLISHED = (
    "sep_conv_3x3~1|skip_connect~0|sep_conv_3x3~1|sep_conv_3x3~2|sep_conv_3x3~1|sep_conv_3x3~3|"
    "sep_conv_3x3~1|max_pool_3x3~0 / "
    "max_pool_3x3~0|max_pool_3x3~1|dil_conv_5x5~2|dil_conv_3x3~1|dil_conv_5x5~2|max_pool_3x3~0|"
    "sep_conv_5x5~0|dil_conv_5x5~2"
)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(("stem", "count"), [(1, 1_928_154), (3, 1_930_618)])
def test_the_supernet_has_the_published_number_of_weights(stem: int, count: int) -> None:
    """Of VS-DARTS's code with its stem of 16 channels, and of DARTS's with 48."""
    assert (
        count_parameters(DartsSupernet(CIFAR, CellOptions("all"), space=DARTS, stem=stem)) == count
    )


def test_the_published_cells_are_derived_from_parameters_that_say_so() -> None:
    layouts = darts_layouts(DARTS)
    choices = DARTS.edge_choices(PUBLISHED)
    generator = torch.Generator().manual_seed(0)
    strengths = []
    for choice in choices:
        alpha = 1e-3 * torch.randn(14, 8, generator=generator)
        alpha[:, 0] = 3.0  # none is strongest everywhere, and left out
        for edge, place in enumerate(choice):
            if place >= 0:
                alpha[edge, place] = 2.0
        strengths.append(alpha.softmax(-1))
    derived = [discretise(s, layout) for s, layout in zip(strengths, layouts, strict=True)]
    assert derived == choices
    text = DARTS.string(DARTS.from_edge_choices(derived))
    assert DARTS.edge_choices(text) == choices
    assert sorted(text.split(" / ")[0].split("|")) == sorted(PUBLISHED.split(" / ")[0].split("|"))


def test_two_edges_a_node_are_kept_the_strongest() -> None:
    layouts = darts_layouts(SPACES["s2"])
    rng = np.random.default_rng(0)
    for _ in range(20):
        strength = torch.tensor(rng.random((14, 2)))
        choice = np.array(discretise(strength, layouts[0]))
        targets = np.array([target for _, target in layouts[0].edges])
        best = strength.numpy().max(axis=1)
        for target in range(2, 6):
            mine = targets == target
            assert (choice[mine] >= 0).sum() == 2
            assert best[mine & (choice >= 0)].min() >= best[mine & (choice < 0)].max(initial=-1)


def test_subspaces_are_those_of_robust_darts() -> None:
    for name, space in SPACES.items():
        normal, reduction = (cell.candidates for cell in space.cells)
        assert len(normal) == len(reduction) == 14, name
        assert len({len(names) for names in (*normal, *reduction)}) == 1
    normal, reduction = (cell.candidates for cell in SPACES["s1"].cells)
    assert normal[5] == normal[10] == ("max_pool_3x3", "skip_connect")
    assert normal[13] == ("dil_conv_3x3", "dil_conv_5x5")
    assert reduction[6] == ("max_pool_3x3", "sep_conv_3x3")
    with pytest.raises(SuiteError, match="darts-s4"):
        darts_family("s5")


@pytest.mark.parametrize("space", list(SPACES))
def test_one_path_is_the_mixture_with_weights_one_and_zero(space: str) -> None:
    torch.manual_seed(0)
    net = DartsSupernet(
        DIGITS, CellOptions("all"), space=SPACES[space], channels=4, cells=3
    ).double()
    x = DIGITS.train[0][:6].double()
    rng = np.random.default_rng(0)
    paths, dense = [], []
    for layout in net.layouts:
        strength = torch.tensor(rng.random(layout.shape))
        paths.append(single_path(discretise(strength, layout), strength))
        dense.append(Mix(paths[-1].operations))
    torch.manual_seed(1)
    ours = net(x, paths)
    assert ours.shape == (6, 10)
    if space != "s4":  # of noise fewer tensors are drawn
        torch.testing.assert_close(ours, net(x, dense))


@pytest.mark.parametrize(
    ("name", "space"),
    [
        ("darts", "s1"),
        ("vs-darts", "s2"),
        ("pc-darts", "darts"),
        ("gdas", "s3"),
        ("drnas", "s4"),
        ("rsps", "s2"),
        ("spos", "darts"),
        ("fair-darts", "s3"),
    ],
)
def test_methods_search_in_the_darts_space(name: str, space: str) -> None:
    settings = {
        "rsps": {"candidates": 2, "interim": 1},
        "spos": {"population": 4, "parents": 2, "generations": 2, "mutation_rate": 0.5},
    }.get(name, {})
    found = []
    for _ in range(2):
        method = make_method(name, {"epochs": 1, "batch_size": 200, **settings})
        family = darts_family(space, channels=4, cells=3)
        method.prepare(DIGITS, np.random.default_rng(0), family)
        with method.randomness():
            losses = method.train_epoch()
            method.epoch += 1
            found.append((SPACES[space].from_edge_choices(method.choices()), losses))
    assert found[0] == found[1]
    assert SPACES[space].read(SPACES[space].string(found[0][0])) == found[0][0]


def test_a_method_of_the_topology_alone_says_so() -> None:
    with pytest.raises(SuiteError, match="no DARTS space"):
        make_method("darts-pt").family_of(SPACES["s2"])


# -- the commands ----------------------------------------------------------------------------------


def test_the_root_drifts_less_than_softmax_and_not_at_all_if_independent() -> None:
    frame = variance_drift(draws=8).set_index("candidates")
    independent, five = frame.loc["independent"], frame.loc["five"]
    assert (independent["root"] - 1).abs().max() < 0.05
    assert independent["softmax"].iloc[0] == pytest.approx(0.5, abs=0.05)
    ratios = {name: five[name].max() / five[name].min() for name in ("root", "softmax")}
    assert ratios["root"] < 0.6 * ratios["softmax"]
    assert five["entropy"].iloc[0] == pytest.approx(np.log(5))
    assert (five["root_std"].iloc[1:] > five["root_std"].iloc[0]).all()
    with pytest.raises(SuiteError, match=r"^-1 is no seed"):
        variance_drift(draws=2, seed=-1)
    with pytest.raises(SuiteError, match="not 1: give 2 or more"):
        variance_drift(draws=1)
