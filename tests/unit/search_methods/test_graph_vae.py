"""The auto-encoders of cells: grammar, models, training, checkpoints, comparison."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_space
from search_methods.graph_vae.grammar import (
    DARTS,
    TOPOLOGY,
    CellGrammar,
    find_grammar,
    genotype_to_cell,
)

torch = pytest.importorskip("torch")

from search_methods.graph_vae import comparison  # noqa: E402
from search_methods.graph_vae.base import CellVAE  # noqa: E402 (needs torch)
from search_methods.graph_vae.checkpoint import (  # noqa: E402
    MODELS,
    Training,
    embedded_checkpoint,
    load_model,
    make_model,
    read_arrays,
    save_model,
)
from search_methods.graph_vae.comparison import (  # noqa: E402
    Cells,
    compare,
    score_file,
    split_cells,
    summary,
)
from search_methods.graph_vae.embedding import (  # noqa: E402
    arrays_beside,
    digest,
    embed,
    load_embedding,
)
from search_methods.graph_vae.line_graph import make_line_graph  # noqa: E402
from search_methods.graph_vae.pictures import draw_all  # noqa: E402
from search_methods.graph_vae.training import EpochDone, Recipe, train  # noqa: E402

SPACE = load_space("nats-tss")
CELLS = SPACE.all_vectors.astype(np.int64)
FEW = CELLS[::25]
BRIEF = Recipe(epochs=3, batch_size=64)
TINY: dict[str, dict[str, Any]] = {
    "graph-vae": {"latent_dim": 6, "hidden_dim": 16},
    "sequence-vae": {"latent_dim": 6, "hidden_dim": 16},
    "d-vae": {"latent_dim": 6, "hidden_dim": 12},
    "arch2vec": {"hidden_dim": 12, "vertex_dim": 4, "num_layers": 2},
}
each_model = pytest.mark.parametrize("name", MODELS)
both_grammars = pytest.mark.parametrize("grammar", [TOPOLOGY, DARTS], ids=lambda g: g.name)


pytestmark = pytest.mark.usefixtures("one_thread")


# -- grammar -------------------------------------------------------------------------------------


def test_sentences_are_read_back() -> None:
    assert_array_equal(TOPOLOGY.from_tokens(TOPOLOGY.to_tokens(CELLS)), CELLS)
    cells = DARTS.sample(500, np.random.default_rng(0))
    assert_array_equal(DARTS.from_tokens(DARTS.to_tokens(cells)), cells)


def test_a_sentence_with_its_nodes_closed_wrongly_is_no_cell() -> None:
    tokens = TOPOLOGY.to_tokens(CELLS[:4])
    tokens[1, 1] = TOPOLOGY.end_token  # ended too early
    tokens[2, -1] = TOPOLOGY.next_token  # never ended
    tokens[3, 0] = TOPOLOGY.next_token  # an edge left out
    found = TOPOLOGY.from_tokens(tokens)
    assert_array_equal(found[0], CELLS[0])
    assert (found[1:] == -1).all()


@both_grammars
def test_the_mask_allows_what_can_still_become_a_cell_and_nothing_else(
    grammar: CellGrammar,
) -> None:
    """Follow the mask at random: always a cell. Leave it once: never one."""
    rng = np.random.default_rng(0)
    tokens = np.empty((300, 0), dtype=np.int64)
    leave_at = rng.integers(len(grammar.layout), size=300)
    strayed = tokens
    for position in range(len(grammar.layout)):
        mask = grammar.allowed(tokens)
        assert mask.any(axis=1).all()
        lawful = np.where(mask, rng.random(mask.shape), -1).argmax(axis=1)
        # A label that breaks the in-degree of a node cannot be mended by later ones.
        lawless = np.where(mask, -1, rng.random(mask.shape)).argmax(axis=1)
        out = np.where(leave_at == position, lawless, lawful)
        tokens = np.column_stack([tokens, lawful])
        strayed = np.column_stack([strayed, out])
    assert (grammar.from_tokens(tokens) >= 0).all()
    assert (grammar.from_tokens(strayed) == -1).all()


def test_the_mask_reaches_every_darts_node() -> None:
    """Two of k earlier nodes, and one of 7 operations each: counted by following the mask."""
    begun = np.empty((1, 0), dtype=np.int64)
    for position, edge in enumerate(DARTS.layout):
        if edge >= 0 and DARTS.cell.edges[edge][1] > 3:
            break
        mask = DARTS.allowed(begun)
        rows, labels = np.nonzero(mask)
        begun = np.column_stack([begun[rows], labels])
        assert begun.shape[1] == position + 1
    assert len(begun) == (1 * 7**2) * (3 * 7**2)


def test_the_published_cell_of_vs_darts_is_a_cell() -> None:
    """Choe et al., BMVC 2021: the best normal cell."""
    cell = genotype_to_cell(
        [
            ("sep_conv_3x3", 1),
            ("skip_connect", 0),
            ("sep_conv_3x3", 1),
            ("sep_conv_3x3", 2),
            ("sep_conv_3x3", 1),
            ("sep_conv_3x3", 3),
            ("sep_conv_3x3", 1),
            ("max_pool_3x3", 0),
        ]
    )
    assert (cell > 0).sum() == 8
    assert cell[DARTS.cell.edges.index((1, 2))] == DARTS.cell.operations.index("sep_conv_3x3")
    with pytest.raises(SuiteError, match="no input of node 2"):
        genotype_to_cell([("sep_conv_3x3", 2)] * 8)


def test_a_fingerprint_stands_for_the_paths_through_a_cell() -> None:
    """Equal where, and only where, the same sequences of operations lead from input to output."""
    cells = CELLS[::3]
    skip = TOPOLOGY.cell.operations.index("skip_connect")
    paths_of = []
    for cell in cells.tolist():
        ways = [[3], [0, 4], [1, 5], [0, 2, 5]]  # positions of the edges 0-3, 0-1-3, ...
        said = [[cell[edge] for edge in way] for way in ways]
        live = [tuple(o for o in path if o != skip) for path in said if 0 not in path]
        paths_of.append(tuple(sorted(live)))
    prints = TOPOLOGY.fingerprint(cells)
    first = {}
    for paths, found in zip(paths_of, prints, strict=True):
        assert_allclose(found, first.setdefault(paths, found), atol=1e-9)
    distinct = np.array(list(first.values()))
    gaps = np.linalg.norm(distinct[:, None, :8] - distinct[None, :, :8], axis=2)
    assert gaps[~np.eye(len(distinct), dtype=bool)].min() > 1e-3


def test_live_counts_are_those_of_the_live_edges() -> None:
    from nasbench_suite.spaces.topology import live_edges

    cells = CELLS[::11]
    live = np.array([live_edges(cell) for cell in cells.tolist()])
    expected = np.stack([(live == label).sum(axis=1) for label in range(1, 5)], axis=1)
    assert_array_equal(TOPOLOGY.live_counts(cells), expected)


def test_the_grammar_tells_no_fewer_twins_than_the_space() -> None:
    """Its keys drop the zeros that NAS-Bench-201 keeps, and join some of its classes."""
    keys = {tuple(cell): TOPOLOGY.canonical(cell) for cell in CELLS[::7].tolist()}
    by_class = defaultdict(set)
    for cell, key in keys.items():
        by_class[SPACE.canonical(cell)].add(key)
    assert all(len(found) == 1 for found in by_class.values())


def test_a_space_without_cells_has_no_grammar() -> None:
    with pytest.raises(SuiteError, match="cell space"):
        find_grammar(load_space("nats-sss"))


# -- models --------------------------------------------------------------------------------------


def _latents(model: CellVAE, cells: np.ndarray) -> tuple[Any, Any]:
    return torch.as_tensor(model.encode(cells)[0]), torch.as_tensor(cells)


def tiny(name: str, grammar: str = "nats-tss", seed: int = 0) -> CellVAE:
    return make_model(name, grammar, TINY[name], seed)


@each_model
def test_under_the_mask_even_an_untrained_model_emits_cells(name: str) -> None:
    model = tiny(name)
    assert (model.sample(500, np.random.default_rng(0)) >= 0).all()
    model.masked = False
    valid = (model.sample(500, np.random.default_rng(0)) >= 0).all(axis=1)
    assert valid.mean() < 0.2


@pytest.mark.parametrize("name", ["graph-vae", "sequence-vae"])
def test_darts_cells_go_through_the_same_networks(name: str) -> None:
    model = tiny(name, "darts-cell")
    cells = DARTS.sample(600, np.random.default_rng(0))
    before = float(model.negative_log_likelihood(*_latents(model, cells)).mean())
    train(model, cells, BRIEF)
    after = float(model.negative_log_likelihood(*_latents(model, cells)).mean())
    assert after < before - 1
    drawn = model.sample(300, np.random.default_rng(0))
    assert all(DARTS.vector(cell) for cell in drawn.tolist())


def test_darts_cells_have_settings_of_their_own() -> None:
    cells = DARTS.sample(64, np.random.default_rng(0))
    once = Recipe(epochs=1)
    ours, _ = comparison.train_model("graph-vae", "darts-cell", cells, recipe=once)
    assert ours.config["structure_weight"] == 0.0
    told, _ = comparison.train_model("graph-vae", "darts-cell", cells, config={}, recipe=once)
    assert told.config["structure_weight"] == 1.0


@pytest.mark.parametrize("name", ["d-vae", "arch2vec"])
def test_baselines_of_one_wiring_refuse_others(name: str) -> None:
    with pytest.raises(SuiteError, match="wiring"):
        tiny(name, "darts-cell")


@each_model
def test_training_lowers_the_loss_and_tells_strings_apart(name: str) -> None:
    model = tiny(name)
    losses: list[EpochDone] = []
    train(model, FEW, BRIEF, progress=losses.append)
    assert [done.epoch for done in losses] == [1, 2, 3]
    assert losses[-1].reconstruction < losses[0].reconstruction
    means, log_variances = model.encode(CELLS[:50])
    assert means.shape == log_variances.shape == (50, model.latent_dim)
    assert len(np.unique(np.round(means, 5), axis=0)) == 50


@each_model
def test_the_same_seed_gives_the_same_weights(name: str) -> None:
    states = []
    for _ in range(2):
        model = tiny(name, seed=4)
        train(model, FEW, BRIEF, seed=4)
        torch.manual_seed(99)  # whatever happens elsewhere between the two
        states.append(model.state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_a_graph_vae_learns_a_few_cells_by_heart() -> None:
    """And drawn ones too: the posterior's noise is part of the bargain."""
    from nasbench_suite.analysis.generative import CellReader, reconstruction

    cells = CELLS[:16]
    model = make_model("graph-vae", "nats-tss", {"latent_dim": 8, "hidden_dim": 32})
    train(model, cells, Recipe(epochs=300, batch_size=16, learning_rate=1e-2, beta=0.003))
    reader, rng = CellReader(SPACE), np.random.default_rng(0)
    assert reconstruction(model, reader, cells).string == 1.0
    drawn = reconstruction(model, reader, cells, encodings=3, decodings=3, rng=rng)
    assert drawn.string > 0.97


def test_free_bits_keep_the_latent_from_collapsing() -> None:
    kls = []
    for bits in (0.0, 0.5):
        model = tiny("sequence-vae")
        recipe = Recipe(epochs=15, batch_size=64, beta=5.0, warmup=0.1, free_bits=bits)
        done: list[EpochDone] = []
        train(model, FEW, recipe, progress=done.append)
        kls.append(done[-1].kl)
    assert kls[0] < 0.2
    assert kls[1] > 1.0


def test_a_diverged_training_is_said() -> None:
    with pytest.raises(SuiteError, match="lower learning rate"):
        train(tiny("graph-vae"), FEW, Recipe(epochs=3, learning_rate=1e30))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: Recipe(epochs=0), "epochs=0: give 1 or more"),
        (lambda: Recipe(learning_rate=0.0), "learning_rate=0.0"),
        (lambda: Recipe(learning_rate=float("inf")), "learning_rate=inf"),
        (lambda: Recipe(beta=-1.0), "beta=-1.0"),
        (lambda: Recipe(beta=float("nan")), "beta=nan"),
        (lambda: make_model("graph-vae", "nats-tss", {}, seed=-1), "-1 is no seed"),
        (lambda: make_model("graph-vae", "nats-tss", {}, seed=10**30), "is no seed"),
        (lambda: split_cells("nats-tss", 0.1, -1), "-1 is no seed"),
        (lambda: split_cells("nats-tss", float("nan")), "share of nan of the cells"),
        (lambda: split_cells("darts-cell", 1.0), "share of 1.0 of the cells"),
        (lambda: score_file(Path("none.npz"), -1), "-1 is no seed"),
        (lambda: draw_all(Path("none"), "digits", seed=-1), "-1 is no seed"),
        (lambda: compare(["graph-vae"], [0], Path("none"), held_out=0.0), "a share above 0"),
    ],
)
def test_impossible_numbers_are_refused_before_anything_is_done(
    call: Callable[[], Any], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SuiteError, match=sentence):
        call()
    assert not list(tmp_path.iterdir())


def test_the_structure_head_orders_the_latent() -> None:
    """Twins, far apart as strings, lie closer to each other with it than without."""
    ratios = []
    for weight in (0.0, 3.0):
        config = {"latent_dim": 8, "hidden_dim": 32, "structure_weight": weight}
        model = make_model("graph-vae", "nats-tss", config)
        train(model, CELLS[::25], Recipe(epochs=8, batch_size=64))
        means = model.encode(CELLS)[0]
        labels = SPACE.classes
        rng = np.random.default_rng(0)
        spread = np.linalg.norm(means[rng.permutation(SPACE.size)] - means, axis=1).mean()
        twins = means - means[SPACE.representatives[labels]]
        ratios.append(
            np.linalg.norm(twins, axis=1)[labels != np.arange(SPACE.size)].mean() / spread
        )
    assert ratios[1] < ratios[0]


def test_the_line_graph_is_the_published_one() -> None:
    """The adjacency by which arch2vec and others write NAS-Bench-201's cells."""
    published = [
        [0, 1, 1, 0, 1, 0, 0, 0],
        [0, 0, 0, 1, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0, 0],
    ]
    assert_array_equal(make_line_graph(TOPOLOGY).adjacency.numpy(), published)


def test_graphs_with_wrong_edges_or_types_are_no_cells() -> None:
    graph = make_line_graph(TOPOLOGY)
    types = graph.types(torch.as_tensor(CELLS[:4]))
    adjacency = graph.adjacency.repeat(4, 1, 1)
    adjacency[1, 0, 3] = 1
    types[2, 0] = 1
    types[3, 4] = graph.output_type
    assert_array_equal(graph.cells(types, adjacency).numpy()[0], CELLS[0])
    assert (graph.cells(types, adjacency)[1:] == -1).all()
    assert_array_equal(graph.cells(types)[1].numpy(), CELLS[1])  # edges not looked at


# -- checkpoints -----------------------------------------------------------------------------------


def saved(path: Path, epochs: int = 1, name: str = "graph-vae") -> CellVAE:
    model = tiny(name)
    train(model, FEW, Recipe(epochs=1))
    save_model(model, Training(0, Recipe().config, 0.1, 0, 1.0, epochs), path)
    return model


def rewrite(path: Path, arrays: dict[str, Any] | None = None, **header: Any) -> None:
    with np.load(path) as archive:
        content = {key: archive[key] for key in archive.files}
    head = json.loads(str(content["__header__"])) | header
    content |= arrays or {}
    content["__header__"] = np.array(json.dumps(head))
    with path.open("wb") as file:
        np.savez(file, **content)


@each_model
def test_a_checkpoint_gives_the_model_back(name: str, tmp_path: Path) -> None:
    model = saved(tmp_path / "m.npz", name=name)
    again, training = load_model(tmp_path / "m.npz", "nats-tss")
    assert_array_equal(model.encode(FEW)[0], again.encode(FEW)[0])
    latents = np.random.default_rng(0).normal(size=(50, model.latent_dim))
    drawn = [m.decode(latents, np.random.default_rng(1)) for m in (model, again)]
    assert_array_equal(*drawn)
    assert training.held_out == 0.1


def test_bad_checkpoints_are_said(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    with pytest.raises(SuiteError, match="no checkpoint"):
        load_model(path)
    path.write_bytes(b"PK nonsense")
    with pytest.raises(SuiteError, match="damaged"):
        load_model(path)
    saved(path, epochs=0)
    with pytest.raises(SuiteError, match="never trained"):
        load_model(path)
    saved(path)
    with pytest.raises(SuiteError, match="'nats-tss', not for 'darts-cell'"):
        load_model(path, "darts-cell")
    rewrite(path, version=99)
    with pytest.raises(SuiteError, match="version 99"):
        load_model(path)
    saved(path)
    rewrite(path, config={"latent_dim": 7, "hidden_dim": 16})
    with pytest.raises(SuiteError, match="does not fit"):
        load_model(path)
    saved(path)
    rewrite(path, {"mean.bias": np.full(6, np.nan, dtype=np.float32)})
    with pytest.raises(SuiteError, match="diverged"):
        load_model(path)
    saved(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:2000])
    with pytest.raises(SuiteError, match="damaged"):
        load_model(path)
    packed = embedded_checkpoint("nats-tss").read_bytes()
    path.write_bytes(packed[:100] + b"\xff" * 100 + packed[200:])  # within what is compressed
    with pytest.raises(SuiteError, match=r"damaged \(error: Error -3 while decompressing"):
        load_model(path)
    path.write_text("hello")
    with pytest.raises(SuiteError, match=r"damaged \(BadZipFile: [^`]*\)\.$"):
        load_model(path)


def test_a_pickle_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    path = tmp_path / "m.npz"
    saved(path)
    with path.open("wb") as file:
        np.savez(file, allow_pickle=True, __header__=np.array(Trap(), dtype=object))
    with pytest.raises(SuiteError, match="no checkpoint"):
        load_model(path)
    assert not (tmp_path / "sprung").exists()


def test_the_embedded_model_gives_back_every_cell() -> None:
    model, training = load_model(embedded_checkpoint("nats-tss"), "nats-tss")
    assert_array_equal(model.decode(model.encode(CELLS)[0]), CELLS)
    assert training.held_out == 0.0


def test_there_is_no_embedded_model_of_other_spaces() -> None:
    with pytest.raises(SuiteError, match="train one with `nasbench vae train --space darts-cell`"):
        embedded_checkpoint("darts-cell")
    with pytest.raises(SuiteError, match="and none can be trained: do without its latent"):
        embedded_checkpoint("nasbench-macro")


# -- the embedding of a space as arrays ------------------------------------------------------------


def test_the_shipped_arrays_are_those_of_the_shipped_weights() -> None:
    checkpoint = embedded_checkpoint("nats-tss")
    assert arrays_beside(checkpoint).stat().st_size < 1_000_000
    shipped, model = load_embedding("nats-tss"), load_model(checkpoint)[0]
    means, _ = model.encode(CELLS)
    assert_allclose(shipped.latents, means, rtol=2**-11, atol=1e-4)  # half precision
    assert_allclose(shipped.functional, model.functional(means), atol=5e-3)
    header, _ = read_arrays(arrays_beside(checkpoint))
    assert header["checkpoint"] == digest(checkpoint)


def test_arrays_and_weights_give_the_same_search(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    saved(path)
    computed = load_embedding("nats-tss", str(path))
    read = load_embedding("nats-tss", str(embed(path)))
    assert_array_equal(computed.latents, read.latents)
    assert_array_equal(computed.functional, read.functional)


def test_arrays_that_do_not_belong_are_said(tmp_path: Path) -> None:
    path, other = tmp_path / "m.npz", tmp_path / "other.npz"
    saved(path)
    arrays = embed(path)
    other.write_bytes(embedded_checkpoint("nats-tss").read_bytes())
    arrays_beside(other).write_bytes(arrays.read_bytes())
    with pytest.raises(SuiteError, match="not made with the checkpoint"):
        load_embedding("nats-tss", str(other))
    with pytest.raises(SuiteError, match="of space 'nats-tss', not of 'nasbench-macro'"):
        load_embedding("nasbench-macro", str(arrays))
    with np.load(arrays) as archive:
        content = dict(archive)
    for name, value, said in (
        ("latents", content["latents"][1:], "one latent for each"),
        ("latents", np.full_like(content["latents"], np.nan), "not finite"),
        ("__header__", np.array("{}"), "no embedding of version"),
    ):
        altered = tmp_path / f"{said}{arrays.name}"
        np.savez(altered, **{**content, name: value})
        with pytest.raises(SuiteError, match=said):
            load_embedding("nats-tss", str(altered))


# -- comparison ------------------------------------------------------------------------------------


def test_a_comparison_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = Cells(SPACE, FEW, CELLS[1:600:25])
    monkeypatch.setattr(comparison, "split_cells", lambda *_: few)
    brief = dict.fromkeys(MODELS, Recipe(epochs=1, batch_size=128))
    arguments: dict[str, Any] = {"configs": TINY, "recipes": brief}
    first = compare(["graph-vae"], [0], tmp_path, **arguments)
    trained: list[tuple[str, int]] = []
    rows = compare(
        ["graph-vae", "sequence-vae"],
        [0],
        tmp_path,
        progress=lambda name, seed, _: trained.append((name, seed)),
        **arguments,
    )
    assert trained == [("sequence-vae", 0)]
    pd.testing.assert_frame_equal(rows.iloc[[0]], first)
    assert list(summary(rows)["model"]) == ["graph-vae", "sequence-vae"]
    checkpoint = next(tmp_path.glob("graph-vae*.npz"))
    figures = score_file(checkpoint)
    assert figures["sampled_string"] == first.iloc[0]["sampled_string"]


def test_the_split_of_a_comparison_keeps_twins_together() -> None:
    cells = split_cells("nats-tss", 0.1, 0)
    labels = SPACE.classes
    inside = set(labels[SPACE.indices(cells.training)])
    assert not inside & set(labels[SPACE.indices(cells.held_out)])
    assert len(cells.training) + len(cells.held_out) == SPACE.size
    assert not len(split_cells("nats-tss", 0.0).held_out)


def nasbench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from nasbench_suite.commands import main; main()"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    found = nasbench("vae", "train", str(tmp_path / "m.npz"), "--space", "nats-ss")
    assert found.returncode == 2
    assert "Unknown cell space 'nats-ss'" in found.stderr
    found = nasbench("vae", "score", str(tmp_path / "missing.npz"))
    assert found.returncode == 2
    assert "There is no checkpoint" in found.stderr


def test_without_torch_one_sentence_says_so(tmp_path: Path) -> None:
    """torch hidden, as if it were not installed; the command line itself needs none."""
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "from nasbench_suite.commands import main\n"
        f"sys.argv = ['nasbench', 'vae', 'train', {str(tmp_path / 'm.npz')!r}]\n"
        "main()\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert found.returncode == 2
    assert found.stderr.startswith("nasbench: The graph VAE needs PyTorch: install it")
    assert len(found.stderr.splitlines()) == 1
