"""Layer-wise adaptive rate control: SGD whose steps are bounded by the size of the weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class Larc(torch.optim.SGD):
    """SGD under the rule of NVIDIA's apex (``apex/parallel/LARC.py``), which VS-DARTS uses.

    For each tensor w with gradient g the step is scaled by

        a = trust · ‖w‖ / (‖g‖ + decay · ‖w‖ + ε),

    where ``clip`` bounds the effective rate, a = min(a / rate, 1). The decayed gradient
    a · (g + decay · w) then goes through momentum. A tensor whose norm or gradient is zero is
    left to plain SGD, without decay, as in apex.

    Args:
        params: as for ``torch.optim.SGD``, and so the keywords not named here.
        trust: trust coefficient.
        clip: whether the rate of SGD is an upper bound, or is multiplied by a.
        epsilon: ε.
        options: of ``torch.optim.SGD``.
    """

    def __init__(
        self,
        params: Any,
        *,
        trust: float = 0.02,
        clip: bool = True,
        epsilon: float = 1e-8,
        **options: Any,
    ) -> None:
        super().__init__(params, **options)
        self.trust, self.clip, self.epsilon = trust, clip, epsilon

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Scale the gradients in place, then take the step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        decays = [group["weight_decay"] for group in self.param_groups]
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            gradients = [weight.grad for weight in weights]
            if weights:
                self._scale(weights, gradients, group["lr"], group["weight_decay"])
            group["weight_decay"] = 0.0
        try:
            super().step()
        finally:
            for group, decay in zip(self.param_groups, decays, strict=True):
                group["weight_decay"] = decay
        return loss

    def _scale(
        self,
        weights: list[torch.Tensor],
        gradients: list[torch.Tensor],
        rate: float,
        decay: float,
    ) -> None:
        sizes = torch.stack(torch._foreach_norm(weights))
        slopes = torch.stack(torch._foreach_norm(gradients))
        scales = self.trust * sizes / (slopes + decay * sizes + self.epsilon)
        if self.clip:
            scales = (scales / rate).clamp(max=1.0)
        # A zero norm: no decay and no scaling.
        plain = (sizes == 0) | (slopes == 0)
        decayed = torch.full_like(sizes, decay).masked_fill(plain, 0.0)
        scales = scales.masked_fill(plain, 1.0)
        torch._foreach_add_(gradients, torch._foreach_mul(weights, list(decayed.unbind())))
        torch._foreach_mul_(gradients, list(scales.unbind()))
