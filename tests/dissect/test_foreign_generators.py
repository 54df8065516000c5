"""Six shapes of generators by others, in miniature, are dissected as they are, by the name of a factory.

Each keeps what matters here of a public code base: where the units are (modules, functions, functions in place, one
grouped convolution for all pictures, words that become a map), and what a forward gives (a tensor, a tuple, a list, an
object).
"""

import sys
from dataclasses import dataclass
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from ganvas.core.errors import UserError
from ganvas.dissect.places import numbered
from ganvas.tasks.latents.dissect import Dissect, DissectResult, dissect

Z = 6


class Scaled(nn.Module):
    """pytorch_GAN_zoo: a layer in a wrapper, whose result is scaled in place."""

    def __init__(self, module: nn.Module, scale: float) -> None:
        super().__init__()
        self.module, self.scale = module, scale

    def forward(self, x: Tensor) -> Tensor:
        x = self.module(x)
        x *= self.scale
        return x


class Progressive(nn.Module):
    """pytorch_GAN_zoo: activations, norm and upsampling are functions."""

    def __init__(self) -> None:
        super().__init__()
        self.format = Scaled(nn.Linear(Z, 8 * 16), 0.7)
        self.blocks = nn.ModuleList([Scaled(nn.Conv2d(8, 8, 3, padding=1), 0.5) for _ in range(2)])
        self.colours = Scaled(nn.Conv2d(8, 3, 1), 1.0)

    def forward(self, x: Tensor) -> Tensor:
        x = self.format(x).view(-1, 8, 4, 4)
        for block in self.blocks:
            n, c, h, w = x.shape
            x = x.view(n, c, h, 1, w, 1).expand(n, c, h, 2, w, 2).contiguous().view(n, c, 2 * h, 2 * w)
            x = F.leaky_relu(block(x), 0.2)
            x = x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()
        return self.colours(x)


class Residual(nn.Module):
    """mimicry: a residual block with batch norm and one activation module for all places."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.activation = nn.ReLU(True)
        self.b1, self.b2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.c1, self.c2 = nn.Conv2d(inputs, outputs, 3, 1, 1), nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.c_sc = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.activation(self.b1(x))
        h = self.c1(F.interpolate(h, scale_factor=2, mode="bilinear", align_corners=False))
        h = self.c2(self.activation(self.b2(h)))
        return h + self.c_sc(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False))


class Mimicry(nn.Module):
    """mimicry's SNGAN: a dense layer, residual blocks, tanh."""

    def __init__(self) -> None:
        super().__init__()
        self.l1 = nn.Linear(Z, 8 * 16)
        self.block2, self.block3 = Residual(8, 8), Residual(8, 6)
        self.b6, self.c6 = nn.BatchNorm2d(6), nn.Conv2d(6, 3, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.block3(self.block2(self.l1(x).view(x.shape[0], -1, 4, 4)))
        return torch.tanh(self.c6(torch.relu(self.b6(h))))


@dataclass
class Decoded:
    """diffusers: what a decoder gives is an object."""

    sample: Tensor


class Decoder(nn.Module):
    """diffusers' VAE decoder: group norm, SiLU, attention over the places of a map; latents are maps."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(2, 8, 3, padding=1)
        self.group_norm, self.to_qkv = nn.GroupNorm(2, 8), nn.Linear(8, 24)
        self.up, self.norm_out = nn.Conv2d(8, 8, 3, padding=1), nn.GroupNorm(2, 8)
        self.conv_act, self.conv_out = nn.SiLU(), nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, sample: Tensor) -> Decoded:
        x = self.conv_in(sample)
        tokens = self.group_norm(x).flatten(2).transpose(1, 2)
        q, k, v = self.to_qkv(tokens).chunk(3, dim=-1)
        attended = F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[:, 0]
        x = x + attended.transpose(1, 2).view_as(x)
        x = self.up(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return Decoded(sample=self.conv_out(self.conv_act(self.norm_out(x))))


class Modulated(nn.Module):
    """stylegan2-pytorch: one grouped convolution for all pictures, whose weights are each picture's own."""

    def __init__(self, inputs: int, outputs: int, *, noise: bool = True) -> None:
        super().__init__()
        self.weight, self.modulation = nn.Parameter(torch.randn(1, outputs, inputs, 3, 3)), nn.Linear(Z, inputs)
        self.noise = nn.Parameter(torch.full((1,), 0.1)) if noise else None

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        n, c, h, w = x.shape
        weight = self.weight * (1 + self.modulation(style)).view(n, 1, c, 1, 1)
        if self.noise is not None:
            weight = weight * torch.rsqrt(weight.pow(2).sum([2, 3, 4], keepdim=True) + 1e-8)
        out = F.conv2d(x.reshape(1, n * c, h, w), weight.flatten(0, 1), padding=1, groups=n).view(n, -1, h, w)
        if self.noise is None:
            return out
        return F.leaky_relu(out + self.noise * out.new_empty(n, 1, h, w).normal_(), 0.2) * 2**0.5


class Styled(nn.Module):
    """stylegan2-pytorch: fresh noise in every forward, and a tuple with the latents as result."""

    def __init__(self) -> None:
        super().__init__()
        self.style, self.constant = nn.Linear(Z, Z), nn.Parameter(torch.randn(1, 8, 4, 4))
        self.conv1, self.conv2, self.to_rgb = Modulated(8, 8), Modulated(8, 8), Modulated(8, 3, noise=False)

    def forward(self, z: Tensor) -> tuple[Tensor, None]:
        w = F.leaky_relu(self.style(z), 0.2)
        x = self.conv1(self.constant.repeat(len(z), 1, 1, 1), w)
        x = self.conv2(F.interpolate(x, scale_factor=2), w)
        return self.to_rgb(x, w), None


class Tokens(nn.Module):
    """TransGAN: words of a transformer, which become a map and then pixels by a shuffle."""

    def __init__(self) -> None:
        super().__init__()
        self.l1, self.places = nn.Linear(Z, 16 * 8), nn.Parameter(torch.zeros(1, 16, 8))
        self.norm, self.fc1, self.fc2 = nn.LayerNorm(8), nn.Linear(8, 16), nn.Linear(16, 16)
        self.deconv = nn.Sequential(nn.Conv2d(4, 3, 1))

    def forward(self, z: Tensor) -> Tensor:
        x = self.l1(z).view(-1, 16, 8) + self.places
        x = self.fc2(F.gelu(self.fc1(self.norm(x))))
        x = F.pixel_shuffle(x.permute(0, 2, 1).view(-1, 16, 4, 4), 2)
        return self.deconv(x)


class Fast(nn.Module):
    """FastGAN: spectral norms, gated units that halve the channels, and a list of pictures of two sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.init = nn.Sequential(spectral_norm(nn.ConvTranspose2d(Z, 16, 4, 1, 0, bias=False)), nn.GLU(dim=1))
        up = spectral_norm(nn.Conv2d(8, 16, 3, 1, 1, bias=False))
        self.feat_8 = nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), up, nn.BatchNorm2d(16), nn.GLU(dim=1))
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 8, 1), nn.Sigmoid())
        self.to_big, self.to_small = nn.Conv2d(8, 3, 3, 1, 1), nn.Conv2d(8, 3, 1)

    def forward(self, z: Tensor) -> list[Tensor]:
        small = self.init(z[:, :, None, None])
        big = self.feat_8(small) * self.gate(small)
        return [torch.tanh(self.to_big(big)), torch.tanh(self.to_small(small))]


# What makes it, the shape of its input, one of its layers, and whether all of it has a start that can be drawn anew
# (a bare parameter, and one behind a parametrisation, has none that anybody knows).
FACTORIES = {
    "make_progressive": (Progressive, "1,6", "leaky_relu after blocks.1.module", True),
    "make_mimicry": (Mimicry, "1,6", "relu after b6", True),
    "make_decoder": (Decoder, "1,2,4,4", "conv_act", True),
    "make_styled": (Styled, "1,6", "leaky_relu after conv2", False),
    "make_tokens": (Tokens, "1,6", "pixel_shuffle after fc2", False),
    "make_fast": (Fast, "1,6", "feat_8.3", False),
}
FEW = {"pictures": 8, "effect_pictures": 8, "held_out_pictures": 8, "permutations": 0, "set_size": 2, "quiet": True}


def __getattr__(name: str):
    """The factories, as attributes of this module."""
    if name not in FACTORIES:
        raise AttributeError(name)
    return partial(_made, FACTORIES[name][0])


def _made(kind: type[nn.Module]) -> nn.Module:
    """With weights from one seed; those that give colours are large, so that pictures have some contrast."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = kind()
        for weight in network.parameters():
            if weight.dim() >= 4 and weight.shape[-4] == 3:
                weight.mul_(200)
    return network


@pytest.mark.parametrize("factory", FACTORIES)
def test_a_generator_by_others_is_dissected_without_a_change_and_twice_the_same(factory, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "somebodys", sys.modules[__name__])
    _, shape, layer, twin = FACTORIES[factory]
    task = Dissect(run=f"somebodys:{factory}", input=shape, labeller="brightness", out=tmp_path / "d", **FEW)
    found = dissect(task)
    assert isinstance(found, DissectResult)
    assert layer in [line.label for line in found.layers]
    assert {line.untrained is not None for line in found.layers} == {twin}
    assert twin or "no untrained twin" in found.notes[0]
    first = (tmp_path / "d" / "dissection.json").read_bytes()
    torch.rand(7)  # What somebody else draws meanwhile is no part of it.
    dissect(task)
    assert (tmp_path / "d" / "dissection.json").read_bytes() == first


def test_one_convolution_for_all_pictures_has_no_units():
    found = numbered(_made(Styled), (torch.zeros(2, 6),), {}, name="styled")
    grouped = next(node for node in found.graph.nodes if node.op == "conv2d")
    with pytest.raises(UserError, match="gives 1x16x4x4, and units are the channels of a map"):
        found.place(f"#{grouped.index}")
    assert found.place("conv1").units == 8
