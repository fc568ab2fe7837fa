"""Where published figures are to be had, and what of them the suite reads.

Only what is known stands here; ``NOT_KNOWN`` is said otherwise, and nothing is guessed. It
was looked up in the publishers' repositories.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nasbench_suite.errors import SuiteError, choose_from, plain

NOT_KNOWN = "not published"


@dataclass(frozen=True)
class Source:
    """A published benchmark or table of costs.

    Attributes:
        name: as the field calls it, in small letters.
        page: the publisher's page.
        files: names of files.
        licence: of the figures, or of the repository that holds them.
        citation: the paper.
        reads: the command by which the suite reads it, and what of it.
        spaces: whose architectures its figures are of.
        sizes: of the files.
        checksums: as published.
    """

    name: str
    page: str
    files: tuple[str, ...]
    licence: str
    citation: str
    reads: str
    spaces: tuple[str, ...]
    sizes: str = NOT_KNOWN
    checksums: str = NOT_KNOWN

    @property
    def credit(self) -> dict[str, str]:
        """What ``Benchmark.about`` says of whose figures they are."""
        return {"paper": self.citation, "url": self.page, "licence": self.licence}


SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source(
            "nats-bench",
            "https://github.com/D-X-Y/NATS-Bench",
            (
                *("NATS-tss-v1_0-3ffb9-simple.tar", "NATS-tss-v1_0-3ffb9.pickle.pbz2"),
                *("NATS-sss-v1_0-50262-simple.tar", "NATS-sss-v1_0-50262.pickle.pbz2"),
            ),
            "MIT (of the repository, which links the files)",
            "Dong, Liu, Musial and Gabrys, NATS-Bench, TPAMI 2021 (arXiv:2009.00437)",
            "nasbench data import FOLDER: accuracy, loss, times and sizes of every training",
            ("nats-tss", "nats-sss"),
            checksums="the names end in the first five digits of the archive's MD5",
        ),
        Source(
            "nas-bench-201",
            "https://github.com/D-X-Y/NAS-Bench-201",
            ("NAS-Bench-201-v1_1-096897.pth", "NAS-Bench-201-v1_0-e61699.pth"),
            "MIT (of the repository, which links the files)",
            "Dong and Yang, NAS-Bench-201, ICLR 2020",
            "nasbench data import FILE: accuracy, loss, times and sizes of every training",
            ("nats-tss",),
            sizes="4.7 GB and 2.2 GB",
            checksums="the name ends in the last six digits of the file's checksum, by its README",
        ),
        Source(
            "nas-bench-101",
            "https://github.com/google-research/nasbench",
            ("nasbench_full.tfrecord", "nasbench_only108.tfrecord"),
            "Apache-2.0",
            "Ying et al., NAS-Bench-101, ICML 2019",
            "nasbench data import FILE: accuracy of three trainings at each of four numbers of "
            "epochs, training seconds, parameters",
            ("nasbench101",),
            sizes="about 1.95 GB and 499 MB",
            checksums=(
                "SHA-256 3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c and "
                "4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1"
            ),
        ),
        Source(
            "nas-bench-301",
            "https://github.com/automl/nasbench301",
            (
                "nasbench301_models_v1_0.zip (figshare.com/articles/software/"
                "nasbench301_models_v1_0_zip/13061510)",
                "nasbench301_models_v0_9.zip (figshare.com/articles/software/"
                "nasbench301_models_v0_9_zip/12962432)",
            ),
            NOT_KNOWN,
            "Zela et al., Surrogate NAS Benchmarks, ICLR 2022 (arXiv:2008.09777)",
            "nasbench data import FOLDER: the unpacked surrogates (XGBoost and GIN of accuracy, "
            "LightGBM of seconds); nasbench data import TABLE --space darts: a table of its cells, "
            "as genotypes or as its configurations",
            ("darts",),
        ),
        Source(
            "transnas-bench-101",
            "https://github.com/yawen-d/TransNASBench",
            (
                "transnas-bench_v10141024.pth, by "
                "www.noahlab.com.hk/opensource/vega/page/doc.html?path=datasets/transnasbench101",
            ),
            "MIT (of the repository, which links the file)",
            "Duan et al., TransNAS-Bench-101, CVPR 2021",
            "nasbench data import TABLE --space transnas101-micro or transnas101-macro: as a table "
            "with arch_str",
            ("transnas101-micro", "transnas101-macro"),
        ),
        Source(
            "nas-bench-macro",
            "https://github.com/xiusu/NAS-Bench-Macro",
            ("nas-bench-macro_cifar10.json, in the repository",),
            "Apache-2.0",
            "Su et al., Prioritized Architecture Sampling with Monte-Carlo Tree Search, CVPR 2021",
            "nasbench data import FILE --space nasbench-macro: test accuracy of three trainings, "
            "parameters and FLOPs",
            ("nasbench-macro",),
        ),
        Source(
            "hw-nas-bench",
            "https://github.com/GATECH-EIC/HW-NAS-Bench",
            ("HW-NAS-Bench-v1_0.pickle, in the repository",),
            "MIT",
            "Li et al., HW-NAS-Bench, ICLR 2021",
            "nasbench hardware import FILE, or nasbench data import TABLE --latency FILE: latency "
            "and energy on NAS-Bench-201",
            ("nats-tss", "fbnet"),
        ),
        Source(
            "help",
            "https://github.com/HayeonLee/HELP",
            ("a device.pt a device, in the repository under data/",),
            "MIT",
            "Lee et al., HELP, NeurIPS 2021",
            "nasbench hardware import FOLDER: latency in ms",
            ("nats-tss", "fbnet", "ofa-mbv3"),
        ),
        Source(
            "nas-bench-graph",
            "https://pypi.org/project/nas-bench-graph/1.4.0/",
            ("the wheel of the package nas-bench-graph",),
            "Apache-2.0",
            "Qin et al., NAS-Bench-Graph, NeurIPS 2022",
            "nasbench data import nas-bench-graph: validation, test, latency and parameters, from "
            "the installed package",
            ("nasbench-graph", "nasbench-graph-proteins"),
        ),
        Source(
            "accel-nasbench",
            "https://github.com/afzalxo/Accel-NASBench",
            ("anb_dataset_jsons.tar.gz, in the repository under anb_dataset/",),
            "Apache-2.0",
            "Ahmad, Du, Xie and Zhang, Accel-NASBench, DAC 2024",
            "nasbench data import TABLE --space mnasnet: as a table with arch_str",
            ("mnasnet",),
        ),
        Source(
            "arch2vec",
            "https://github.com/MSU-MLSys-Lab/arch2vec",
            (
                "cifar10_valid_converged.json, cifar100.json, ImageNet16_120.json, data.json: "
                "made by its preprocessing/ from the files of nas-bench-201 and nas-bench-101",
            ),
            "Apache-2.0",
            "Yan et al., Does Unsupervised Architecture Representation Learning Help NAS?, NeurIPS "
            "2020",
            "nasbench data import FILE --space nats-tss or nasbench101: accuracies and seconds",
            ("nats-tss", "nasbench101"),
        ),
        Source(
            "ec-nas-bench",
            "https://github.com/PedramBakh/EC-NAS-Bench",
            (
                *("energy_7V9E_surrogate.tfrecord", "energy_5V9E_linscale.tfrecord"),
                *("energy_4V9E_linscale.tfrecord", "energy_7V9E_4epochs.tfrecord"),
                *("energy_5V9E_4epochs.tfrecord", "energy_4V9E_4epochs.tfrecord"),
            ),
            "MIT",
            "Bakhtiarifard, Igel and Selvan, EC-NAS, ICASSP 2024 (arXiv:2210.06015)",
            "nasbench data import TABLE --space nasbench101: as a table with matrices",
            ("nasbench101",),
        ),
    )
}


def find_source(name: str) -> Source:
    """The source of that name; hyphens, underscores and case do not matter.

    Raises:
        SuiteError: none is known by it.
    """
    for known, source in SOURCES.items():
        if plain(known) == plain(name):
            return source
    raise SuiteError(choose_from("published benchmark", name, list(SOURCES)))


def sources_of(space: str) -> list[Source]:
    """The sources of figures of a space."""
    return [source for source in SOURCES.values() if space in source.spaces]


def describe_source(source: Source) -> str:
    """What there is to know, a line each."""
    return "\n".join(
        [
            source.name,
            f"  page       {source.page}",
            f"  files      {', '.join(source.files)}",
            f"  sizes      {source.sizes}",
            f"  checksums  {source.checksums}",
            f"  licence    {source.licence}",
            f"  cite       {source.citation}",
            f"  read by    {source.reads}",
            f"  spaces     {', '.join(source.spaces)}",
        ]
    )
