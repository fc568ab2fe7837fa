"""The image data sets that NAS-Bench-201 is trained on, as their authors publish them."""

from __future__ import annotations

from nasbench_suite.datasets.library import ImportedDataSet
from nasbench_suite.datasets.sources import Source

CIFAR10 = ImportedDataSet(
    "cifar10",
    "CIFAR-10: 50,000 and 10,000 photographs of 32x32 pixels in 10 classes (Krizhevsky, 2009)",
    Source(
        folder="cifar-10-batches-py",
        files={"train": tuple(f"data_batch_{n}" for n in range(1, 6)), "test": ("test_batch",)},
        labels="labels",
        size=32,
        classes=(
            *("airplane", "automobile", "bird", "cat", "deer"),
            *("dog", "frog", "horse", "ship", "truck"),
        ),
    ),
)

CIFAR100 = ImportedDataSet(
    "cifar100",
    "CIFAR-100: 50,000 and 10,000 photographs of 32x32 pixels in 100 classes (Krizhevsky, 2009)",
    Source(
        folder="cifar-100-python",
        files={"train": ("train",), "test": ("test",)},
        labels="fine_labels",
        size=32,
        classes=tuple(f"class {n}" for n in range(100)),
    ),
)

IMAGENET16_120 = ImportedDataSet(
    "imagenet16_120",
    "ImageNet16-120: the first 120 classes of ImageNet at 16x16 pixels (Dong and Yang, 2020)",
    Source(
        folder="ImageNet16",
        files={
            "train": tuple(f"train_data_batch_{n}" for n in range(1, 11)),
            "test": ("val_data",),
        },
        labels="labels",
        first_label=1,
        size=16,
        classes=tuple(f"class {n}" for n in range(1, 121)),
    ),
)
