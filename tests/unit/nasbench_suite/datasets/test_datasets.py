"""Images by name: how they are imported, kept, and reduced."""

from __future__ import annotations

import io
import pickle
import tarfile
import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nasbench_suite.commands.app import build_app
from nasbench_suite.datasets import import_images, load_images, verify_images
from nasbench_suite.datasets.images import area_average, stratified
from nasbench_suite.datasets.published import IMAGENET16_120
from nasbench_suite.datasets.sources import read_source
from nasbench_suite.errors import SuiteError

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """120 images, of which the last 20 are for the test, in CIFAR-10's rows."""
    return np.random.default_rng(0).integers(0, 256, (120, 3 * 32 * 32), dtype=np.uint8)


LABELS = [number % 10 for number in range(120)]


def write_folder(folder: Path, rows: np.ndarray) -> Path:
    place = folder / "cifar-10-batches-py"
    place.mkdir()
    names = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]
    for number, name in enumerate(names):
        part = slice(20 * number, 20 * number + 20)
        content = {"data": rows[part], "labels": LABELS[part]}
        (place / name).write_bytes(pickle.dumps(content, protocol=2))
    return folder


def write_table(path: Path, rows: np.ndarray, *, struct: bool = False) -> Path:
    import pandas as pd
    from PIL import Image

    pictures = []
    for row in rows:
        file = io.BytesIO()
        Image.fromarray(row.reshape(3, 32, 32).transpose(1, 2, 0)).save(file, "PNG")
        pictures.append({"bytes": file.getvalue(), "path": ""} if struct else file.getvalue())
    split = ["train"] * 100 + ["test"] * 20
    frame = pd.DataFrame({"img" if struct else "jpeg": pictures, "label": LABELS, "split": split})
    frame.sample(frac=1, random_state=0).sort_index().to_parquet(path)
    return path


def test_folder_archive_and_table_become_the_same_images(tmp_path: Path, rows: np.ndarray) -> None:
    folder = write_folder(tmp_path, rows)
    with tarfile.open(tmp_path / "cifar.tar.gz", "w:gz") as archive:
        archive.add(folder / "cifar-10-batches-py", "cifar-10-batches-py")
    sources = (
        folder,
        folder / "cifar-10-batches-py",
        tmp_path / "cifar.tar.gz",
        write_table(tmp_path / "plain.parquet", rows),
        write_table(tmp_path / "struct.parquet", rows, struct=True),
    )
    found = {import_images("cifar10", source, overwrite=True).checksum() for source in sources}
    assert found == {verify_images("cifar10")}
    images = load_images("CIFAR-10".replace("-10", "10"))
    assert isinstance(images.train.images, np.memmap)
    assert np.array_equal(images.train.images.reshape(100, -1), rows[:100])
    assert np.array_equal(images.test.images.reshape(20, -1), rows[100:])
    assert images.test.labels.tolist() == LABELS[100:]


def test_a_reduced_data_set_is_what_its_name_says(tmp_path: Path, rows: np.ndarray) -> None:
    whole = import_images("cifar10", write_folder(tmp_path, rows))
    images = load_images("cifar10[resolution=16, images=30,test_images=10]")
    assert images.name == "cifar10[images=30,test_images=10,resolution=16]"
    assert load_images(images.name).checksum() == images.checksum()
    assert images.train.images.shape == (30, 3, 16, 16)
    assert np.bincount(images.train.labels).tolist() == [3] * 10
    chosen = stratified(whole.train.labels, 30, 0)
    assert np.array_equal(images.train.images, area_average(whole.train.images[chosen], 16))
    other = load_images("cifar10[images=30,test_images=10,resolution=16,seed=1]")
    assert other.checksum() != images.checksum()
    three = load_images("cifar10[classes=3]")
    assert three.classes == ("airplane", "automobile", "bird")
    assert len(three.train) == 30
    assert set(three.test.labels.tolist()) == {0, 1, 2}


def test_a_smaller_subset_is_part_of_a_larger_one_in_the_proportions_of_the_classes() -> None:
    labels = np.repeat(np.arange(4), [40, 30, 20, 11])
    before: set[int] = set()
    for count in (10, 37, 60, 101):
        chosen = stratified(labels, count, 5)
        assert len(set(chosen.tolist())) == count
        shares = np.bincount(labels[chosen], minlength=4)
        assert np.abs(shares - np.array([40, 30, 20, 11]) * count / 101).max() < 1
        if count != 37:  # a share rounded up may be one less in a larger subset
            assert len(before - set(chosen.tolist())) <= 1
        before = set(chosen.tolist())


@pytest.mark.parametrize(("side", "size"), [(32, 16), (8, 3), (7, 5), (6, 6), (5, 1)])
def test_new_pixels_are_means_of_the_areas_they_cover(side: int, size: int) -> None:
    image = np.random.default_rng(side).integers(0, 256, (1, 1, side, side), dtype=np.uint8)
    found = area_average(image, size)
    step = Fraction(side, size)

    def overlap(new: int, old: int) -> Fraction:
        return max(Fraction(0), min((new + 1) * step, Fraction(old + 1)) - max(new * step, old))

    for row in range(size):
        for column in range(size):
            mean = sum(
                overlap(row, y) * overlap(column, x) * int(image[0, 0, y, x])
                for y in range(side)
                for x in range(side)
            ) / (step * step)
            assert found[0, 0, row, column] == (mean + Fraction(1, 2)).__floor__()


def test_classes_are_chosen_before_anything_is_converted(tmp_path: Path) -> None:
    """ImageNet16-120 of files with 1,000 classes takes little more than the bytes it keeps."""
    place = tmp_path / "ImageNet16"
    place.mkdir()
    rng = np.random.default_rng(0)
    for number in range(1, 11):
        labels = rng.integers(1, 1001, 2000)
        content = {"data": rng.integers(0, 256, (2000, 768), dtype=np.uint8), "labels": labels}
        (place / f"train_data_batch_{number}").write_bytes(pickle.dumps(content, protocol=2))
    tracemalloc.start()
    train = read_source(tmp_path, IMAGENET16_120.source, ("train",))["train"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert train.images.dtype == np.uint8
    assert set(train.labels.tolist()) == set(range(120))
    # One file, its pickle beside it while it is read, and twice what is kept, while it is joined.
    assert peak < 4 * 2000 * 768 + 2 * train.images.nbytes


class Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("ran"),))


def test_what_is_no_data_set_is_refused_and_leaves_nothing(
    tmp_path: Path, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SuiteError, match="import them once by `nasbench data images cifar10"):
        load_images("cifar10")
    folder = write_folder(tmp_path, rows)
    (folder / "cifar-10-batches-py" / "test_batch").write_bytes(
        pickle.dumps({"data": Runs(), "labels": []})
    )
    whole = write_table(tmp_path / "whole.parquet", rows)
    (tmp_path / "half.parquet").write_bytes(whole.read_bytes()[:-1000])
    (tmp_path / "text.tar.gz").write_text("no archive")
    import pandas as pd

    frame = pd.read_parquet(whole)
    frame.drop(columns="split").to_parquet(tmp_path / "without.parquet")
    frame.assign(jpeg=b"\xff\xd8 no picture").to_parquet(tmp_path / "pictures.parquet")
    frame.assign(label=10).to_parquet(tmp_path / "labels.parquet")
    wrong = {
        "nowhere": "no file or folder",
        ".": "which could run code",
        "half.parquet": "no Parquet table",
        "text.tar.gz": "no whole tar archive",
        "without.parquet": "one called 'split'",
        "pictures.parquet": "no 32 x 32 JPEG or PNG",
        "labels.parquet": "labels from 10 to 10",
    }
    for name, reason in wrong.items():
        with pytest.raises(SuiteError, match=reason):
            import_images("cifar10", tmp_path / name)
    assert not (tmp_path / "ran").exists()
    assert not home.exists() or not any(home.rglob("*.npy"))


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("cifar1O", "did you mean 'cifar10'"),
        ("digits[size=3]", "Unknown option 'size' of data set 'digits'"),
        ("digits[images=all]", "whole number"),
        ("digits[images=9]", "choose from 10 to 800"),
        ("digits[images=801]", "choose from 10 to 800"),
        ("digits[classes=1]", "choose from 2 to 10"),
        ("digits[resolution=9]", "never enlarged"),
        ("digits[images=100", "name\\[setting=value"),
    ],
)
def test_specifications_that_say_nothing_are_refused(spec: str, told: str) -> None:
    with pytest.raises(SuiteError, match=told):
        load_images(spec)


def test_damage_is_found(tmp_path: Path, rows: np.ndarray, home: Path) -> None:
    import_images("cifar10", write_folder(tmp_path, rows))
    with pytest.raises(SuiteError, match="--overwrite"):
        import_images("cifar10", tmp_path)
    file = home / "images" / "cifar10" / "train_images.npy"
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(SuiteError, match="is damaged: import the images of cifar10 again"):
        verify_images("cifar10")
    file.write_bytes(content[:-1])
    with pytest.raises(SuiteError, match="are damaged"):
        load_images("cifar10")
    with pytest.raises(SuiteError, match="comes with the suite"):
        import_images("digits", tmp_path)


def test_the_command_imports_checks_and_lists(tmp_path: Path, rows: np.ndarray) -> None:
    def call(*arguments: str) -> str:
        answer = CliRunner().invoke(
            build_app(), ["data", "images", *arguments], catch_exceptions=False
        )
        assert answer.exit_code == 0
        return str(answer.stdout)

    said = call("cifar10", str(write_folder(tmp_path, rows)))
    assert "100 train, 20 test images of 32x32 pixels in 10 classes" in said
    assert "cifar10 is sound" in call("cifar10")
    listed = dict(line.split(maxsplit=1) for line in call().splitlines()[1:])
    assert "images/cifar10" in listed["cifar10"].replace("\\", "/")
    assert listed["digits"].strip() == "embedded"
    assert listed["cifar100"].strip() == "not imported"


def test_the_real_images_are_those_of_cifar10(shared_data: Path) -> None:
    """A hundredth of the table, by its own reader: classes and sizes, and near-published means."""
    import pyarrow.parquet as pq

    table = pq.read_table(shared_data / "cifar10" / "images.parquet")
    assert table.num_rows == 60_000
    from nasbench_suite.datasets.sources import _decoded

    pictures = table.column("jpeg").take(list(range(0, 50_000, 250))).to_pylist()
    pixels = np.stack([_decoded(content, 32, Path("images")) for content in pictures])
    means = pixels.reshape(len(pixels), 3, -1).mean((0, 2)) / 255
    assert means == pytest.approx([0.4914, 0.4822, 0.4465], abs=0.03)
