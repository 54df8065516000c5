"""Products of matrices on a CPU by the library that is fastest at them: up to twice as fast as torch's own, MKL.

MKL uses half the width of processors that are not Intel's; elsewhere these are as fast as it. float32 goes through
oneDNN, to which ``F.linear`` hands what lies in oneDNN's layout; its sums round as those of a plain loop over the
columns, up to three times as much as MKL's. float64 goes through numpy, which brings OpenBLAS.
"""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Factor = Tensor  # As oneDNN keeps it: not to be indexed, nor looked into.


def factor(a: Float[Tensor, "n d"]) -> Factor:
    """``a`` as :func:`times` takes it, for many products."""
    if a.dtype != torch.float32 or a.device.type != "cpu" or not torch.backends.mkldnn.is_available() or not a.numel():
        return a
    return a.to_mkldnn()


def times(a: Factor, b: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """``a @ b.T``, as a new tensor."""
    if a.is_mkldnn:
        return F.linear(a, b).to_dense() if b.numel() else a.to_dense() @ b.T
    return product(a, b.T)


def product(a: Float[Tensor, "n d"], b: Float[Tensor, "d m"]) -> Float[Tensor, "n m"]:
    """``a @ b``, as a new tensor."""
    if a.dtype == b.dtype == torch.float64 and a.device.type == b.device.type == "cpu":
        # What is not finite goes on as such, as in torch: callers look at their values.
        with np.errstate(all="ignore"):
            return torch.from_numpy(a.detach().numpy() @ b.detach().numpy())
    return a @ b


def congruence(f: Float[Tensor, "d d"], b: Float[Tensor, "d d"], *, blocks: int = 8) -> Float[Tensor, "d d"]:
    """The lower triangle of ``f' b f`` of a lower triangular f and a symmetric b; above the diagonal, not all of it.

    Blocks of f that are 0, and those of the result that its symmetry gives, are left out: over half of the work.
    """
    d = len(f)
    cuts = [slice(i * d // blocks, (i + 1) * d // blocks) for i in range(blocks)]
    half, out = torch.empty_like(b), torch.zeros_like(b)
    for cut in cuts:
        half[:, cut] = product(b[:, cut.start :], f[cut.start :, cut])
    for cut in cuts:
        out[cut, : cut.stop] = product(f[cut.start :, cut].T, half[cut.start :, : cut.stop])
    return out
