"""The transformer against PyTorch's own encoder, and its two networks against their published layouts."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.features import clip, dinov2
from ganvas.features.clip import Clip
from ganvas.features.dinov2 import DinoV2, at_grid
from ganvas.features.resize import CLIP, IMAGENET, bicubic
from ganvas.features.vit import Shape, VisionTransformer
from ganvas.features.weights import Weights

DINO = Shape(width=24, depth=3, heads=4, patch=4, grid=5, epsilon=1e-6, layer_scale=True)
TOWER = Shape(
    width=24,
    depth=3,
    heads=4,
    patch=4,
    grid=5,
    epsilon=1e-5,
    norm_first=True,
    quick_gelu=True,
    patch_bias=False,
    projected=10,
)


def drawn(shape, rng):
    """Random tensors under our own names; gains near one, so that nothing explodes."""
    tensors = {}
    for name, size in shape.tensors().items():
        value = torch.randn(size, generator=rng) * (0.2 if len(size) > 1 else 0.3)
        tensors[name] = value + 1 if name.endswith(("norm.weight", "norm1.weight", "norm2.weight")) else value
    return tensors


def by_pytorch(t, shape, pictures):
    """The same network from nn.TransformerEncoderLayer; layer scale goes into the layers that it follows."""

    def quick_gelu(x):
        return x * torch.sigmoid(1.702 * x)

    tokens = F.unfold(pictures, shape.patch, stride=shape.patch).transpose(1, 2) @ t["patch.weight"].flatten(1).T
    if shape.patch_bias:
        tokens = tokens + t["patch.bias"]
    x = torch.cat([t["class_token"].expand(len(tokens), 1, -1), tokens], 1) + t["positions"]
    if shape.norm_first:
        x = F.layer_norm(x, (shape.width,), t["first_norm.weight"], t["first_norm.bias"], shape.epsilon)
    for i in range(shape.depth):
        layer = nn.TransformerEncoderLayer(
            shape.width,
            shape.heads,
            4 * shape.width,
            dropout=0.0,
            activation=quick_gelu if shape.quick_gelu else F.gelu,
            layer_norm_eps=shape.epsilon,
            batch_first=True,
            norm_first=True,
        )
        one = torch.ones(shape.width)
        scale1, scale2 = t.get(f"{i}.scale1", one), t.get(f"{i}.scale2", one)
        layer.load_state_dict(
            {
                "self_attn.in_proj_weight": t[f"{i}.qkv.weight"],
                "self_attn.in_proj_bias": t[f"{i}.qkv.bias"],
                "self_attn.out_proj.weight": scale1[:, None] * t[f"{i}.out.weight"],
                "self_attn.out_proj.bias": scale1 * t[f"{i}.out.bias"],
                "linear1.weight": t[f"{i}.up.weight"],
                "linear1.bias": t[f"{i}.up.bias"],
                "linear2.weight": scale2[:, None] * t[f"{i}.down.weight"],
                "linear2.bias": scale2 * t[f"{i}.down.bias"],
                **{
                    f"{norm}.{part}": t[f"{i}.{norm}.{part}"]
                    for norm in ("norm1", "norm2")
                    for part in ("weight", "bias")
                },
            }
        )
        x = layer.double()(x.double())
    x = F.layer_norm(x[:, 0], (shape.width,), t["norm.weight"].double(), t["norm.bias"].double(), shape.epsilon)
    return x @ t["projection"].double() if shape.projected else x


@torch.no_grad()
@pytest.mark.parametrize("shape", [DINO, TOWER], ids=["dinov2", "clip"])
def test_the_class_token_is_that_of_pytorchs_own_encoder(rng, shape):
    tensors, pictures = drawn(shape, rng), torch.randn(3, 3, 20, 20, generator=rng)
    found = VisionTransformer(tensors, shape, device=torch.device("cpu"), dtype=torch.float32)(pictures)
    assert_close(found.double(), by_pytorch(tensors, shape, pictures), rtol=1e-4, atol=1e-5)


def dino_layout(t, shape):
    """Under the names of the released file, which also has a token for masks."""
    layout = {
        "cls_token": t["class_token"][None, None],
        "pos_embed": t["positions"][None],
        "mask_token": torch.zeros(1, shape.width),
        "patch_embed.proj.weight": t["patch.weight"],
        "patch_embed.proj.bias": t["patch.bias"],
        "norm.weight": t["norm.weight"],
        "norm.bias": t["norm.bias"],
    }
    pairs = {
        "norm1": "norm1",
        "qkv": "attn.qkv",
        "out": "attn.proj",
        "norm2": "norm2",
        "up": "mlp.fc1",
        "down": "mlp.fc2",
    }
    for i in range(shape.depth):
        for (ours, theirs), part in itertools.product(pairs.items(), ("weight", "bias")):
            layout[f"blocks.{i}.{theirs}.{part}"] = t[f"{i}.{ours}.{part}"]
        layout |= {f"blocks.{i}.ls{n}.gamma": t[f"{i}.scale{n}"] for n in (1, 2)}
    return layout


def openai_layout(t, shape, prefix="visual."):
    layout = {
        "class_embedding": t["class_token"],
        "positional_embedding": t["positions"],
        "conv1.weight": t["patch.weight"],
        "ln_pre.weight": t["first_norm.weight"],
        "ln_pre.bias": t["first_norm.bias"],
        "ln_post.weight": t["norm.weight"],
        "ln_post.bias": t["norm.bias"],
        "proj": t["projection"],
    }
    pairs = {"norm1": "ln_1", "out": "attn.out_proj", "norm2": "ln_2", "up": "mlp.c_fc", "down": "mlp.c_proj"}
    for i in range(shape.depth):
        block = f"transformer.resblocks.{i}"
        for (ours, theirs), part in itertools.product(pairs.items(), ("weight", "bias")):
            layout[f"{block}.{theirs}.{part}"] = t[f"{i}.{ours}.{part}"]
        layout |= {f"{block}.attn.in_proj_{part}": t[f"{i}.qkv.{part}"] for part in ("weight", "bias")}
    text = {"positional_embedding": torch.zeros(77, 8), "transformer.resblocks.0.ln_1.weight": torch.zeros(8)}
    return text | {f"{prefix}{name}": value for name, value in layout.items()}


def hugging_layout(t, shape):
    embeddings = "vision_model.embeddings"
    layout = {
        f"{embeddings}.class_embedding": t["class_token"],
        f"{embeddings}.position_embedding.weight": t["positions"],
        f"{embeddings}.position_ids": torch.arange(len(t["positions"]))[None],
        f"{embeddings}.patch_embedding.weight": t["patch.weight"],
        "vision_model.pre_layrnorm.weight": t["first_norm.weight"],
        "vision_model.pre_layrnorm.bias": t["first_norm.bias"],
        "vision_model.post_layernorm.weight": t["norm.weight"],
        "vision_model.post_layernorm.bias": t["norm.bias"],
        "visual_projection.weight": t["projection"].T,
        "text_model.embeddings.token_embedding.weight": torch.zeros(9, 8),
    }
    pairs = {
        "norm1": "layer_norm1",
        "out": "self_attn.out_proj",
        "norm2": "layer_norm2",
        "up": "mlp.fc1",
        "down": "mlp.fc2",
    }
    for i in range(shape.depth):
        block = f"vision_model.encoder.layers.{i}"
        for (ours, theirs), part in itertools.product(pairs.items(), ("weight", "bias")):
            layout[f"{block}.{theirs}.{part}"] = t[f"{i}.{ours}.{part}"]
        for part in ("weight", "bias"):
            for letter, value in zip("qkv", t[f"{i}.qkv.{part}"].chunk(3), strict=True):
                layout[f"{block}.self_attn.{letter}_proj.{part}"] = value
    return layout


def test_dinov2_reads_the_released_layout_and_stretches_and_normalises(rng, pictures):
    t = drawn(DINO, rng)
    network = DinoV2(Weights(tensors=dino_layout(t, DINO), sha256="d5383ea8"), shape=DINO, size=20)
    assert network.identity == "dinov2-vitl14@d5383ea8:bicubic-antialias-20:uint8"
    mean, deviation = (torch.tensor(part)[:, None, None] for part in IMAGENET)
    expected = by_pytorch(t, DINO, (bicubic(pictures, 20) / 255 - mean) / deviation)
    assert_close(network.extract(pictures)["features"].double(), expected.detach(), rtol=1e-4, atol=1e-5)


def test_clip_reads_both_layouts_and_its_rows_have_length_one(rng, pictures):
    t = drawn(TOWER, rng)
    layouts = {
        "openai": openai_layout(t, TOWER),
        "openai, the tower alone": openai_layout(t, TOWER, prefix=""),
        "hugging face": hugging_layout(t, TOWER),
        "hugging face, wrapped": {f"model.{name}": value for name, value in hugging_layout(t, TOWER).items()},
    }
    mean, deviation = (torch.tensor(part)[:, None, None] for part in CLIP)
    expected = by_pytorch(t, TOWER, (bicubic(pictures, 20) / 255 - mean) / deviation).detach()
    expected = expected / expected.norm(dim=1, keepdim=True)
    for layout, tensors in layouts.items():
        network = Clip(Weights(tensors=tensors, sha256="3035c92b"), shape=TOWER)
        found = network.extract(pictures)["features"]
        assert_close(
            found.double(), expected, rtol=1e-4, atol=1e-5, msg=lambda text, layout=layout: f"{layout}: {text}"
        )
        assert_close(found.norm(dim=1), torch.ones(5))
    assert network.identity == "clip-vitl14-336@3035c92b:bicubic-antialias-20:uint8"


def test_half_precision_weights_are_computed_with_in_float32(rng, pictures):
    t = {name: value.half().float() for name, value in drawn(TOWER, rng).items()}
    half = {name: value.half() for name, value in openai_layout(t, TOWER).items()}
    full = Clip(Weights(tensors=openai_layout(t, TOWER), sha256="0" * 8), shape=TOWER)
    assert_close(
        Clip(Weights(tensors=half, sha256="0" * 8), shape=TOWER).extract(pictures),
        full.extract(pictures),
        rtol=0,
        atol=0,
    )


def cubic(x, a=-0.75):
    """Keys' kernel with the a that PyTorch has where it does not antialias."""
    x = abs(x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


def test_positions_are_interpolated_by_the_factor_with_its_tenth(rng):
    learned, grid, width = 7, 4, 3
    positions = torch.randn(1 + learned**2, width, generator=rng)
    maps = positions[1:].view(learned, learned, width).double()
    matrix = torch.zeros(grid, learned, dtype=torch.float64)
    for place in range(grid):
        source = (place + 0.5) * learned / (grid + 0.1) - 0.5
        for near in range(int(source // 1) - 1, int(source // 1) + 3):
            matrix[place, min(max(near, 0), learned - 1)] += cubic(source - near)
    expected = torch.einsum("ia,jb,abw->ijw", matrix, matrix, maps).reshape(-1, width)
    found = at_grid(positions, grid)
    assert_close(found[0], positions[0], rtol=0, atol=0)
    assert_close(found[1:].double(), expected, rtol=0, atol=1e-5)
    assert at_grid(positions, learned) is positions


def test_the_large_networks_have_the_published_number_of_weights():
    def count(shape):
        return sum(torch.Size(size).numel() for size in shape.tensors().values())

    # 304 million each as published; by hand: 24 blocks of 12 w^2 + 13 w, and what is before and behind them.
    w = 1024
    blocks = 24 * (12 * w**2 + 13 * w)
    assert count(dinov2.LARGE) == blocks + 24 * 2 * w + (1 + 37**2) * w + w + 3 * 14**2 * w + w + 2 * w
    assert count(clip.LARGE) == blocks + (1 + 24**2) * w + w + 3 * 14**2 * w + 4 * w + w * 768
    assert round(count(dinov2.LARGE) / 1e6) == round(count(clip.LARGE) / 1e6) == 304


def test_weights_of_another_transformer_are_refused(rng):
    t = drawn(DINO, rng)
    with pytest.raises(
        UserError, match=r"not the weights of DINOv2 ViT-L/14: .*shape \(24,\) and should have \(1024,\)"
    ):
        DinoV2(Weights(tensors=dino_layout(t, DINO), sha256="0" * 8))
    with pytest.raises(UserError, match="not the weights of CLIP"):
        Clip(Weights(tensors=dino_layout(t, DINO), sha256="0" * 8), shape=TOWER)
