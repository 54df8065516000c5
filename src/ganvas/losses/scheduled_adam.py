"""Adam whose memory of squared gradients changes with the samples shown (Huang et al. 2024, R3GAN, in its code).

torch's own takes a changing beta2 as a number alone, which a captured CUDA graph would keep for ever. Here it is a
tensor, written once per step and read by every update. https://arxiv.org/abs/2501.05441
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


class ScheduledAdam(torch.optim.Optimizer):
    """Adam (Kingma & Ba 2015, algorithm 1), its bias corrected with the beta2 of the step, as torch's is.

    Attributes:
        beta2: A scalar in float64, to be filled in place before a step.
    """

    def __init__(
        self, parameters: Sequence[nn.Parameter], *, lr: Tensor | float, beta1: float, beta2: float, eps: float
    ) -> None:
        super().__init__(parameters, {"lr": lr})
        self.beta1, self.eps = beta1, eps
        device = parameters[0].device if parameters else None
        self.beta2 = torch.tensor(beta2, dtype=torch.float64, device=device)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Moves every parameter that has a gradient."""
        assert closure is None, "the loss is computed by the loop"
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad, group["lr"])

    def _move(self, parameter: nn.Parameter, gradient: Tensor, lr: Tensor | float) -> None:
        state = self._state_of(parameter)
        step, mean, square = state["step"], state["exp_avg"], state["exp_avg_sq"]
        step += 1
        mean.lerp_(gradient, 1 - self.beta1)
        square.mul_(self.beta2).add_((1 - self.beta2) * gradient.square())
        root = (square / (1 - self.beta2**step)).sqrt_().add_(self.eps)
        parameter.sub_(lr / (1 - self.beta1**step) * mean / root)

    def _state_of(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float64, device=parameter.device)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        return state
