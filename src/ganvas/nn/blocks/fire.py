"""Fire module (Iandola et al. 2016, SqueezeNet, section 3.2, https://arxiv.org/abs/1602.07360).

Few channels go into the 3x3 convolutions, which have most of the weights, and half of the outputs come from 1x1.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.nn.layers.plain_layers import Conv2d


class Fire(nn.Module):
    """``s = relu(conv1(x))``, then ``cat(relu(conv1(s)), relu(conv3(s)))``.

    With i channels in, it has ``i s + s + s e1 + e1 + 9 s e3 + e3`` parameters.

    Raises:
        UserError: ``squeeze`` is not below ``expand1 + expand3``; nothing would be squeezed.
    """

    def __init__(self, in_channels: int, squeeze: int, expand1: int, expand3: int) -> None:
        super().__init__()
        if not 0 < squeeze < expand1 + expand3:
            raise UserError(
                f"A fire module cannot squeeze to {squeeze} channels and expand to {expand1} + {expand3}: the first "
                "must be below the sum of the others."
            )
        self.squeeze = Conv2d(in_channels, squeeze, 1)
        self.expand1 = Conv2d(squeeze, expand1, 1)
        self.expand3 = Conv2d(squeeze, expand3, 3, padding=1)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n e1_and_e3 h w"]:
        s = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1(s)), F.relu(self.expand3(s))], dim=1)
