"""Spaces of inverted bottlenecks: MnasNet's, FBNet's and Once-for-All's, too large to list."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.spaces.base import ProductSpace

_NUM_BLOCKS = 7


class MnasNetSpace(ProductSpace):
    """MnasNet's space as Accel-NASBench samples it: seven blocks of inverted bottlenecks.

    Each block has an expansion of 1, 4 or 6, a kernel of 3 or 5, one to three layers (the sixth
    block up to four), and squeeze-and-excitation or not.

    Sources: Tan, Chen, Pang, Vasudevan, Sandler, Howard and Le, *MnasNet*, CVPR 2019; Ahmad,
    Abouelhamayed and Abdelfattah, *Accel-NASBench*, DAC 2024 (its
    ``configurationspaces/configuration_space_writer.py``).

    >>> space = MnasNetSpace()
    >>> space.string(space.read({f"block{i}_{what}": v for i in range(7)
    ...     for what, v in (("e", 6), ("k", 5), ("l", 1), ("se", i > 3))}))
    'e6k5l1 e6k5l1 e6k5l1 e6k5l1 e6k5l1se e6k5l1se e6k5l1se'
    """

    name = "mnasnet"
    aliases = ("accel-nasbench",)
    expansions = (1, 4, 6)
    kernels = (3, 5)
    layers = (1, 2, 3, 4)
    choices = tuple(
        options for block in range(_NUM_BLOCKS) for options in (3, 2, 4 if block == 5 else 3, 2)
    )

    def format(self, vector: Sequence[int]) -> str:
        """One word a block: expansion, kernel, layers, and ``se`` where it has one."""
        blocks = [vector[4 * block : 4 * block + 4] for block in range(_NUM_BLOCKS)]
        return " ".join(
            f"e{self.expansions[e]}k{self.kernels[k]}l{self.layers[n]}{'se' * se}"
            for e, k, n, se in blocks
        )

    def parse(self, string: str) -> tuple[int, ...]:
        """The blocks in ``string``; see ``SearchSpace.parse``."""
        words = string.split() if isinstance(string, str) else []
        found = [re.fullmatch(r"e(\d)k(\d)l(\d)(se)?", word) for word in words]
        if len(found) != _NUM_BLOCKS or not all(found):
            raise SuiteError(
                f"Malformed network {string!r}: write {_NUM_BLOCKS} blocks such as e6k5l2se, with "
                f"expansion, kernel, layers, and se for squeeze-and-excitation."
            )
        vector: list[int] = []
        for block, match in enumerate(found):
            assert match is not None
            e, k, n = map(int, match.groups()[:3])
            vector += self._block(block, e, k, n, match[4] is not None)
        return tuple(vector)

    def check(self, value: Any) -> tuple[int, ...]:
        """See ``ProductSpace.check``; takes Accel-NASBench's ``block0_e``, ... as a mapping."""
        if not isinstance(value, Mapping):
            return super().check(value)
        vector: list[int] = []
        for block in range(_NUM_BLOCKS):
            keys = [f"block{block}_{what}" for what in ("e", "k", "l", "se")]
            for key in keys:
                if key not in value:
                    raise SuiteError(f"A network of space {self.name!r} needs {key!r}.")
            e, k, n, se = (value[key] for key in keys)
            vector += self._block(block, e, k, n, bool(se))
        return tuple(vector)

    def _block(self, block: int, expansion: int, kernel: int, layers: int, se: bool) -> list[int]:
        most = self.choices[4 * block + 2]
        for what, value, known in (
            ("expansion", expansion, self.expansions),
            ("kernel", kernel, self.kernels),
            ("number of layers", layers, self.layers[:most]),
        ):
            if value not in known:
                raise SuiteError(
                    f"Block {block} of a network of space {self.name!r} has {what} {value}: "
                    f"choose from {', '.join(map(str, known))}."
                )
        return [
            self.expansions.index(expansion),
            self.kernels.index(kernel),
            self.layers.index(layers),
            int(se),
        ]


class FBNetSpace(ProductSpace):
    """FBNet's space: 22 layers, each one of nine blocks; 9^22 networks.

    A vector holds the block (position in ``blocks``) of each layer, in the order of the tables
    of HELP and HW-NAS-Bench.

    Sources: Wu et al., *FBNet*, CVPR 2019; Lee, Lee, Chong and Hwang, *HELP*, NeurIPS 2021.

    >>> space = FBNetSpace()
    >>> space.vector("7-8-1-8-4-8-8-8-7-4-1-4-7-3-2-7-3-2-4-2-4-5")[:3]
    (7, 8, 1)
    """

    name = "fbnet"
    aliases = ("hw-nas-bench-fbnet",)
    blocks = (
        *("k3_e1", "k3_e1_g2", "k3_e3", "k3_e6"),
        *("k5_e1", "k5_e1_g2", "k5_e3", "k5_e6", "skip"),
    )
    """Kernel, expansion, and two groups; HELP's order."""
    choices = (len(blocks),) * 22

    def format(self, vector: Sequence[int]) -> str:
        """The numbers of the blocks, joined by dashes."""
        return "-".join(map(str, vector))

    def parse(self, string: str) -> tuple[int, ...]:
        """The blocks in ``string``, as numbers joined by dashes or names parted by commas."""
        text = string.strip() if isinstance(string, str) else ""
        if re.fullmatch(r"\d(-\d)*", text):
            numbers = list(map(int, text.split("-")))
        else:
            names = re.findall(r"\w+", text)
            for name in names:
                if name not in self.blocks:
                    raise SuiteError(choose_from("block of FBNet", name, list(self.blocks)))
            numbers = [self.blocks.index(name) for name in names]
        if len(numbers) != len(self.choices) or max(numbers) >= len(self.blocks):
            raise SuiteError(
                f"Malformed network {string!r}: write {len(self.choices)} numbers from 0 to "
                f"{len(self.blocks) - 1} joined by dashes, one a layer."
            )
        return tuple(numbers)


class OFAMobileNetV3Space(ProductSpace):
    """The sub-networks of Once-for-All's MobileNetV3: depth, kernels, expansions, resolution.

    Five stages have two to four layers each; each of the twenty layers has a kernel of 3, 5 or 7
    and an expansion of 3, 4 or 6; images have 128 to 224 pixels a side in steps of 4. Layers
    beyond a stage's depth do not exist, so ``canonical`` leaves them out.

    A vector holds the five depths, the twenty kernels, the twenty expansions and the resolution.

    Source: Cai, Gan, Wang, Zhang and Han, *Once-for-All*, ICLR 2020; the encoding is that of its
    ``set_active_subnet`` and of HELP's published networks.
    """

    name = "ofa-mbv3"
    aliases = ("ofa", "ofa-mobilenetv3")
    depths = (2, 3, 4)
    kernels = (3, 5, 7)
    expansions = (3, 4, 6)
    resolutions = tuple(range(128, 225, 4))
    stages = 5
    choices = (3,) * stages + (3,) * 20 + (3,) * 20 + (len(resolutions),)

    def format(self, vector: Sequence[int]) -> str:
        """JSON of ``ks``, ``e``, ``d`` and ``r``, as the authors write it."""
        depths, kernels, expansions = vector[:5], vector[5:25], vector[25:45]
        return json.dumps(
            {
                "ks": [self.kernels[k] for k in kernels],
                "e": [self.expansions[e] for e in expansions],
                "d": [self.depths[d] for d in depths],
                "r": self.resolutions[vector[45]],
            },
            separators=(",", ":"),
        )

    def parse(self, string: str) -> tuple[int, ...]:
        """The network in the authors' JSON; see ``SearchSpace.parse``."""
        try:
            content = json.loads(string)
        except (ValueError, TypeError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise SuiteError(
                f'Malformed network {string!r}: write JSON such as {{"ks": [20 kernels], "e": [20 '
                f'expansions], "d": [5 depths], "r": resolution}}.'
            )
        return self.check(content)

    def check(self, value: Any) -> tuple[int, ...]:
        """See ``ProductSpace.check``; takes the authors' dictionary as well."""
        if not isinstance(value, Mapping):
            return super().check(value)
        vector: list[int] = []
        for key, count, known in (
            ("d", self.stages, self.depths),
            ("ks", 20, self.kernels),
            ("e", 20, self.expansions),
            ("r", 1, self.resolutions),
        ):
            given = value.get(key)
            numbers = [given] if key == "r" else given
            if not isinstance(numbers, list) or len(numbers) != count or set(numbers) - set(known):
                several = f"{count} numbers" if count > 1 else "a number"
                raise SuiteError(
                    f"A network of space {self.name!r} needs {key!r}: {several} from "
                    f"{', '.join(map(str, known))}."
                )
            vector += [known.index(number) for number in numbers]
        return tuple(vector)

    def canonical_key(self, vector: tuple[int, ...]) -> Hashable:
        """The vector without the kernels and expansions of layers that do not exist."""
        layers = [
            (vector[5 + 4 * stage + layer], vector[25 + 4 * stage + layer])
            for stage in range(self.stages)
            for layer in range(self.depths[vector[stage]])
        ]
        return (vector[: self.stages], tuple(layers), vector[-1])
