"""Glow: parameters of the published settings, a fresh step's determinant, code and paper, priors, fewer colours."""

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core import catalogue
from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.flow.glow import TINY, Config, LearntTop, Model, Split, move_of
from ganvas.nn.invertible.actnorm import Actnorm
from ganvas.nn.layers.initialise import initialise

MIXING = ["plain", "lu", "reverse", "shuffle"]


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model


def opened(part, std=0.05):
    """Weights that start at zero hide most of a flow."""
    with torch.no_grad():
        for parameter in part.parameters():
            if not parameter.any():
                parameter.copy_(std * torch.randn(parameter.shape, generator=stream(1, "open")))
    return part


def pictures(n, config=TINY):
    return torch.rand(n, config.channels, *config.picture.size, generator=stream(0, "x")) * 2 - 1


def counted(*, levels, depth, features, affine):
    """Parameters by the authors' code, counted on paper: RGB, plain W, edge channels, learnt top."""
    total, channels = 0, 12
    for level in range(levels):
        half = channels // 2
        outputs = channels if affine else half
        first = 9 * (half + 1) * features + 2 * features
        second = features * features + 2 * features
        last = 9 * (features + 1) * outputs + 2 * outputs
        total += depth * (2 * channels + channels**2 + first + second + last)
        if level < levels - 1:
            total += 9 * (half + 1) * channels + 2 * channels
            channels *= 2
    return total + 9 * (2 * channels + 1) * 2 * channels + 4 * channels


@pytest.mark.parametrize(
    ("preset", "changes", "millions", "sizes"),
    [
        ("cifar10", {}, 44.6, {"levels": 3, "depth": 32, "affine": True}),
        ("imagenet32", {}, 66.9, {"levels": 3, "depth": 48, "affine": True}),
        ("imagenet64", {}, 112.4, {"levels": 4, "depth": 48, "affine": True}),
        ("lsun64", {}, 66.9, {"levels": 3, "depth": 48, "affine": True}),
        ("celeba_hq256", {}, 175.1, {"levels": 6, "depth": 32, "affine": False}),
        ("celeba_hq256", {"coupling": "affine"}, 231.0, {"levels": 6, "depth": 32, "affine": True}),
    ],
)
def test_the_published_settings_have_the_parameters_counted_from_the_code(preset, changes, millions, sizes):
    config = dataclasses.replace(getattr(catalogue.load("recipes", "flow/glow"), preset)().config, **changes)
    with torch.device("meta"):
        found = sum(parameter.numel() for parameter in Model(config).parameters())
    assert found == counted(features=512, **sizes)
    assert round(found / 1e6, 1) == millions


@pytest.mark.usefixtures("float64")
def test_a_fresh_step_shrinks_each_scaled_number_by_the_sigmoid_of_2():
    model = started(levels=1, depth=3, learnt_top=False)
    log_det = model.flow(pictures(2))[1] - 192 * math.log(127.5 / 256)
    assert_close(log_det, torch.full((2,), 3 * 96 * math.log(1 / (1 + math.exp(-2)))), rtol=0, atol=1e-4)
    assert math.log(1 / (1 + math.exp(-2))) == pytest.approx(-0.126928, abs=1e-6)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("mixing", MIXING)
@pytest.mark.parametrize("form", [{}, {"scale": "exp", "order": "scale-shift"}, {"coupling": "additive"}])
def test_the_whole_flow_has_the_jacobian_that_it_says(holds_as_bijection, mixing, form):
    model = opened(started(height=4, width=4, channels=1, depth=2, features=3, mixing=mixing, **form))
    model.calibrate(Pictures(images=pictures(20, model.config)))
    holds_as_bijection(model.flow, pictures(2, model.config))


def test_shift_and_scale_are_the_codes_or_the_papers():
    h = torch.tensor([1.0, -2.0]).view(1, 2, 1, 1)  # Shift 1; -2, which the sigmoid sees as 0.
    x = torch.tensor([3.0]).view(1, 1, 1, 1)
    forms = {("sigmoid", "shift-scale"): 2.0, ("sigmoid", "scale-shift"): 2.5}
    forms |= {("exp", "shift-scale"): 4 * math.exp(-2), ("exp", "scale-shift"): 3 * math.exp(-2) + 1}
    for (scale, order), wanted in forms.items():
        moved, _ = move_of(h, dataclasses.replace(TINY, scale=scale, order=order)).forward(x)
        assert float(moved) == pytest.approx(wanted)


@pytest.mark.usefixtures("float64")
def test_what_leaves_at_a_split_is_standard_normal_where_it_is_what_the_other_half_says():
    split = Split(4, edges=True)
    initialise(split, stream(0, "weights"))
    opened(split, std=0.3)
    stays = torch.randn(4000, 2, 2, 2, generator=stream(0, "h"))
    latent = torch.randn(4000, 2, 2, 2, generator=stream(0, "z"))
    made = split.inverse(torch.cat([stays, latent], 1))
    h = split.prior(stays)
    assert_close(made[:, 2:], h[:, 0::2] + h[:, 1::2].exp() * latent)
    assert_close(split(made)[0][:, 2:], latent)


def test_with_the_edge_channel_the_learnt_prior_differs_along_the_border():
    inside = torch.zeros(4, 4, dtype=torch.bool)
    inside[1:3, 1:3] = True
    for edges in (True, False):
        top = LearntTop(2, edges=edges)
        initialise(top, stream(0, "weights"))
        opened(top, std=0.3)
        mean = top._move(torch.zeros(1, 2, 4, 4)).mean[0, 0]
        differs = (mean - mean[1, 1]).abs() > 1e-6
        assert torch.equal(differs, ~inside if edges else torch.zeros_like(inside))


def test_data_set_every_actnorm_of_the_flow():
    model = started()
    images = pictures(64)
    model.calibrate(Pictures(images=images))
    norms = [part for part in model.modules() if isinstance(part, Actnorm)]
    assert all(norm.logs.any() for norm in norms)
    seen = []
    norms[0].register_forward_hook(lambda module, given, output: seen.append(output[0]))
    model.flow(images)
    assert_close(seen[0].mean((0, 2, 3)), torch.zeros(12), rtol=0, atol=0.05)  # Of other noise within the bins.
    assert_close(seen[0].var((0, 2, 3)), torch.ones(12), rtol=0, atol=0.05)


def test_a_temperature_scales_every_latent_of_all_levels():
    model = opened(started()).eval()
    z = model.latents(3, stream(0, "z"))
    with torch.no_grad():
        assert_close(model.encode(model.decode_at(z, 0.7)), 0.7 * z, rtol=0, atol=1e-4)


def test_pictures_of_fewer_bits_are_drawn_with_those_colours_and_cost_no_more_bits():
    model = started(bits=5).eval()
    images = (pictures(6) * 127.5 + 127.5).round() / 127.5 - 1
    with torch.no_grad():
        drawn = model.decode(model.latents(4, stream(0, "z")))
        bits = -model.log_prob(images, stream(0, "u")) / (192 * math.log(2))
        whole = -started().eval().log_prob(images, stream(0, "u")) / (192 * math.log(2))
    colours = (drawn + 1) * 127.5
    assert_close(colours, (colours / 8).round() * 8, rtol=0, atol=1e-3)
    assert int(colours.max().round()) <= 248
    assert (bits < whole).all()
    assert_close(whole - bits, torch.full((6,), 3.0), rtol=0, atol=0.3)  # The same density, on bins 8 times as wide.


def test_settings_that_cannot_be_are_told():
    with pytest.raises(UserError, match="height=12 is not a multiple of 8"):
        Config(height=12)
    with pytest.raises(UserError, match="bits=9 must be 1 to 8"):
        Config(bits=9)


@pytest.mark.usefixtures("float64")
def test_variational_noise_has_the_density_of_its_jacobian_and_fills_whole_bins():
    model = opened(started(noise="variational", height=4, width=4, channels=1, noise_features=3), std=0.3)
    images, normal = pictures(2, model.config), torch.randn(2, 1, 4, 4, generator=stream(0, "e"))
    shares, log_q = model.noise.at(images, normal)
    assert ((shares > 0) & (shares < 1)).all()
    for row in range(2):
        jacobian = torch.autograd.functional.jacobian(
            lambda e, row=row: model.noise.at(images[row : row + 1], e[None])[0].flatten(), normal[row]
        )
        log_det = torch.linalg.slogdet(jacobian.reshape(16, 16)).logabsdet
        log_normal = torch.distributions.Normal(0, 1).log_prob(normal[row]).sum()
        assert_close(log_q[row], log_normal - log_det)


def test_variational_noise_counts_in_the_loss_and_is_said_in_the_protocol():
    model = opened(started(noise="variational", noise_features=3))
    images = pictures(4)
    bits = model.phases()[0].loss(Pictures(images=images, rng=stream(1, "noise")))["bits_per_dimension"]
    with torch.no_grad():
        found = -model.log_prob(images, stream(1, "noise")) / (192 * math.log(2))
    assert_close(bits.detach(), found, rtol=1e-5, atol=1e-4)
    assert model.density_details == "dequantised-variational1"
