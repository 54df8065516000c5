"""Dropout as a layer whose draws are those of the whole batch, however many ranks share it (Srivastava et al. 2014).

https://jmlr.org/papers/v15/srivastava14a.html. It draws from torch's global stream, which stands at the same place on
every rank: torch's own layer would drop the same units of the first rank's sample and of the second's.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.nn.layers.across_ranks import count_ranks, own_rows


class BatchDropout(nn.Module):
    """``nn.Dropout`` that drops on two ranks of half a batch what it drops on one of the whole batch.

    Args:
        share: Of the values, set to 0 in training; the rest is enlarged.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        ranks = count_ranks()
        if ranks == 1 or not self.training or not self.share:
            return F.dropout(x, self.share, self.training)
        whole = torch.ones(len(x) * ranks, *x.shape[1:], dtype=x.dtype, device=x.device)
        return x * F.dropout(whole, self.share)[own_rows(len(x), x.device)]
