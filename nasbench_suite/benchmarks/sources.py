"""Where published figures are to be had, and what of them the suite reads.

Only what is known stands here; ``NOT_KNOWN`` is said otherwise, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nasbench_suite.errors import SuiteError, choose_from

NOT_KNOWN = "not known"


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
        sizes: of the files.
        checksums: as published.
    """

    name: str
    page: str
    files: tuple[str, ...]
    licence: str
    citation: str
    reads: str
    sizes: str = NOT_KNOWN
    checksums: str = NOT_KNOWN


SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source(
            "nats-bench",
            "https://github.com/D-X-Y/NATS-Bench",
            (
                *("NATS-tss-v1_0-3ffb9-simple", "NATS-tss-v1_0-3ffb9.pickle.pbz2"),
                *("NATS-sss-v1_0-50262-simple", "NATS-sss-v1_0-50262.pickle.pbz2"),
            ),
            NOT_KNOWN,
            "Dong, Liu, Musial and Gabrys, NATS-Bench, TPAMI 2021",
            "nasbench data import FOLDER: accuracy, loss, times and sizes of every training",
        ),
        Source(
            "nas-bench-201",
            "https://github.com/D-X-Y/NAS-Bench-201",
            ("NAS-Bench-201-v1_1-096897.pth",),
            NOT_KNOWN,
            "Dong and Yang, NAS-Bench-201, ICLR 2020",
            "nasbench data import FILE: accuracy, loss, times and sizes of every training",
        ),
        Source(
            "nas-bench-macro",
            "https://github.com/xiusu/NAS-Bench-Macro",
            (NOT_KNOWN,),
            "Apache-2.0",
            NOT_KNOWN,
            "nasbench data import TABLE --space nasbench-macro: as a table with arch_str",
        ),
        Source(
            "hw-nas-bench",
            "https://github.com/GATECH-EIC/HW-NAS-Bench",
            ("HW-NAS-Bench-v1_0.pickle",),
            "MIT",
            "Li et al., HW-NAS-Bench, ICLR 2021",
            "nasbench hardware import FILE: latency and energy on NAS-Bench-201",
        ),
        Source(
            "help",
            "https://github.com/HayeonLee/HELP",
            ("a device.pt a device",),
            "MIT",
            "Lee et al., HELP, NeurIPS 2021",
            "nasbench hardware import FOLDER: latency in ms",
        ),
        Source(
            "nas-bench-graph",
            "https://pypi.org/project/nas-bench-graph/1.4.0/",
            ("the package's wheel",),
            "Apache-2.0",
            NOT_KNOWN,
            "`nasbench list formats` says whether its format is installed",
        ),
        Source(
            "accel-nasbench",
            "https://github.com/afzalxo/Accel-NASBench",
            (NOT_KNOWN,),
            "Apache-2.0",
            NOT_KNOWN,
            "`nasbench list formats` says whether its format is installed",
        ),
        Source(
            "ec-nas-bench",
            "https://github.com/PedramBakh/EC-NAS-Bench",
            (NOT_KNOWN,),
            "MIT",
            NOT_KNOWN,
            "nothing so far",
        ),
    )
}


def find_source(name: str) -> Source:
    """The source of that name; hyphens, underscores and case do not matter.

    Raises:
        SuiteError: none is known by it.
    """

    def plain(text: str) -> str:
        return text.lower().replace("_", "-").replace("nasbench", "nas-bench")

    for known, source in SOURCES.items():
        if plain(known) == plain(name):
            return source
    raise SuiteError(choose_from("published benchmark", name, list(SOURCES)))


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
        ]
    )
