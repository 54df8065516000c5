"""Inception-v3 of 2015-12-05 on pictures that were shrunk without aliasing: what "clean" FID and KID are measured with.

Parmar, Zhang and Zhu 2022, On Aliased Resizing and Surprising Subtleties in GAN Evaluation.
https://arxiv.org/abs/2104.11222

The network and the weights are those of "inception"; the resize is the paper's, bicubic with antialiasing in floating
point, clipped to [0, 255] and not rounded to whole numbers (clean-fid's mode "clean"). It is the better practice, above
all for pictures of more than 299 pixels, and its values do not compare with those of "inception": the identity says so.

Departs from clean-fid: none known; pixels agree to 1e-3 grey levels.
"""

import torch

from ganvas.features.inception import Inception
from ganvas.features.network import Precision
from ganvas.features.release import Release
from ganvas.features.resize import CLEAN
from ganvas.features.weights import Weights

NAME = "inception_clean"
TAPS = {"features": 2048, "logits": 1008, "spatial": 2023}
WEIGHTS = Release(
    file="pt_inception-2015-12-05-6726825d.pth",
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    size_bytes=95_628_359,
    url="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
    licence="Apache-2.0",
    origin="Google's TensorFlow graph of 2015-12-05, trained on ImageNet, as converted for pytorch-fid",
)


def build(weights: Weights | None, *, device: torch.device, precision: Precision) -> Inception:
    """The network with its weights."""
    assert weights is not None
    return Inception(weights, resize=CLEAN, device=device, precision=precision)
