"""The evaluation of DARTS cells by their authors' protocol, for two steps; searches on images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nasbench_suite.commands.app import build_app
from nasbench_suite.datasets.images import Split
from nasbench_suite.errors import SuiteError
from nasbench_suite.experiments import Experiment

torch = pytest.importorskip("torch", reason="supernets need the extra 'torch'")

from search_methods.supernet.data import cut_out, load_search_data  # noqa: E402
from search_methods.supernet.evaluation import Evaluation, Progress, evaluate_cells  # noqa: E402

# The best cells of VS-DARTS and those found without LARC, with the number of weights of the network
# of 20 cells and 36 channels in the authors' code (model.py), without the auxiliary head.
CELLS = {
    3_716_326: (
        "sep_conv_3x3~1|skip_connect~0|sep_conv_3x3~1|sep_conv_3x3~2|sep_conv_3x3~1|"
        "sep_conv_3x3~3|sep_conv_3x3~1|max_pool_3x3~0 / max_pool_3x3~0|max_pool_3x3~1|"
        "dil_conv_5x5~2|dil_conv_3x3~1|dil_conv_5x5~2|max_pool_3x3~0|sep_conv_5x5~0|dil_conv_5x5~2"
    ),
    3_193_390: (
        "sep_conv_3x3~1|skip_connect~0|sep_conv_3x3~1|skip_connect~0|sep_conv_3x3~1|"
        "skip_connect~0|sep_conv_5x5~1|max_pool_3x3~0 / max_pool_3x3~0|sep_conv_5x5~1|"
        "sep_conv_3x3~2|sep_conv_3x3~0|dil_conv_5x5~1|dil_conv_5x5~3|dil_conv_5x5~4|sep_conv_5x5~0"
    ),
}
BEST = CELLS[3_716_326]
SHORT = Evaluation(epochs=2, batch_size=10, channels=4, cells=3)


@pytest.fixture(autouse=True)
def cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty images to train on and as many to test, under the name of CIFAR-10."""
    from nasbench_suite.datasets.images import Images
    from nasbench_suite.datasets.library import _write_folder

    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path / "home"))
    rng = np.random.default_rng(0)
    splits = {
        name: Split(rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8), np.arange(count) % 10)
        for name, count in (("train", 20), ("test", 20))
    }
    folder = tmp_path / "home" / "images"
    folder.mkdir(parents=True)
    _write_folder(folder / "cifar10", Images("cifar10", splits, tuple("0123456789")), tmp_path)


@pytest.mark.parametrize("count", list(CELLS))
def test_published_cells_have_the_number_of_weights_of_the_authors_code(count: int) -> None:
    from nasbench_suite.networks import count_network, describe_network
    from nasbench_suite.networks.skeleton import Skeleton
    from nasbench_suite.spaces import load_space

    network = describe_network(load_space("darts"), CELLS[count], Skeleton(auxiliary=True))
    assert count_network(network)[0] == count


def test_an_evaluation_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    """Two steps an epoch, with cutout, auxiliary head and dropped paths."""
    whole = list(evaluate_cells(BEST, protocol=SHORT))
    assert [now.epoch for now in whole] == [1, 2]
    assert whole[0].train_loss > 1.4 * np.log(10) * 0.5
    file = tmp_path / "c.pt"
    first = next(iter(evaluate_cells(BEST, protocol=SHORT, checkpoint=file)))
    torch.randn(3)  # nothing of torch's own stream may matter
    rest = list(evaluate_cells(BEST, protocol=SHORT, checkpoint=file))
    assert [first, *rest] == whole
    with pytest.raises(SuiteError, match="of another training"):
        next(iter(evaluate_cells(BEST, protocol=SHORT, seed=1, checkpoint=file)))
    file.write_bytes(b"no checkpoint")
    with pytest.raises(SuiteError, match="no checkpoint that can be read"):
        next(iter(evaluate_cells(BEST, protocol=SHORT, checkpoint=file)))


def test_the_protocol_is_that_of_the_papers() -> None:
    """cnn/train.py of quark0/darts; VS-DARTS's train.py has the same figures."""
    expected = Evaluation(600, 96, 36, 20, 0.025, 0.9, 3e-4, 5.0, 0.4, 0.2, 16, "cpu")
    assert Evaluation() == expected
    assert isinstance(Progress(1, 0.0, 0.0, 1), Progress)


@pytest.mark.parametrize(
    "setting", ["epochs=0", "batch_size=0", "drop_path=1", "cutout=-1", "learning_rate=nan"]
)
def test_no_evaluation_begins_that_cannot_be_made(setting: str) -> None:
    name, _, value = setting.partition("=")
    with pytest.raises(SuiteError, match=name):
        Evaluation(**{name: float(value)})


def test_no_evaluation_has_a_seed_below_0() -> None:
    with pytest.raises(SuiteError, match="-1 is no seed"):
        next(evaluate_cells(BEST, protocol=SHORT, seed=-1))


def test_cells_are_searched_and_evaluated_from_the_command_line(tmp_path: Path) -> None:
    def call(*arguments: str) -> str:
        answer = CliRunner().invoke(build_app(), arguments, catch_exceptions=False)
        assert answer.exit_code == 0
        return str(answer.stdout)

    store = tmp_path / "s.sqlite"
    call("run", "--benchmark", "live:cifar10[channels=4,cells=3,epochs=1,valid_images=10]",
         "--space", "darts", "--seeds", "0", "--store", str(store), "--methods",
         "vs-darts[protocol=vs-darts,epochs=1,batch_size=5,width=4,cells=3]")  # fmt: skip
    (found,) = Experiment(store).evaluations()["architecture"].unique()
    short = ("--epochs", "1", "--batch-size", "10", "--channels", "4", "--cells", "3")
    said = call("supernet", "evaluate", found, *short)
    assert "epoch 1 of 1" in said
    assert "parameters" in said


def test_cutout_clears_a_square_around_a_pixel_and_no_more() -> None:
    torch.manual_seed(0)
    images = torch.ones(200, 2, 8, 8)
    cut = cut_out(images, 4)
    gone = (cut == 0).sum((2, 3))
    assert torch.equal(gone[:, 0], gone[:, 1])
    assert set(gone[:, 0].tolist()) <= {a * b for a in (2, 3, 4) for b in (2, 3, 4)}
    assert gone.max() == 16
    assert torch.equal(cut_out(images, 4, probability=0.0), images)


def test_the_architecture_may_be_trained_on_half_of_the_test_images() -> None:
    """As NAS-Bench-201's code does for CIFAR-100 and ImageNet16-120."""
    data = load_search_data("cifar10", architecture="test")
    assert (len(data.train[1]), len(data.valid[1])) == (20, 10)
    whole = load_search_data("cifar10")
    assert (len(whole.train[1]), len(whole.valid[1])) == (10, 10)
    with pytest.raises(SuiteError, match="choose train or test"):
        load_search_data("cifar10", architecture="both")
    with pytest.raises(SuiteError, match="two images of every class"):
        load_search_data("cifar10", "cifar10[images=10]")
