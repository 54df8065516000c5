"""Adaptive style transfer: sizes of the networks, whose move it is, and the losses by hand."""

import dataclasses
from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.domain_batch import Domains
from ganvas.models.style.adaptive import TINY, Config, Model, blurred
from ganvas.networks.translation.style_aware import SameConv2d, ScoredDiscriminator, style_decoder, style_encoder
from ganvas.nn.layers.initialise import initialise


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model


def domains(n=3):
    a, b = (torch.rand(n, 3, 8, 12, generator=stream(7, kind)) * 2 - 1 for kind in "ab")
    return Domains(a=a, b=b, rng=stream(3, "noise"))


def test_the_networks_have_the_layers_of_the_authors():
    # By module.py and ops.py of CompVis/adaptive-style-transfer: 3 x 3 convolutions without biases, two numbers of a
    # norm per channel; 7 x 7 at the end. The discriminator: 5 x 5, and scores of 5, 10, 10, 6 and 3.
    down, up = [(3, 32), (32, 32), (32, 64), (64, 128), (128, 256)], [(256, 256), (256, 128), (128, 64), (64, 32)]
    encoder = 2 * 3 + sum(9 * a * b + 2 * b for a, b in down)
    decoder = 18 * (9 * 256 * 256 + 2 * 256) + sum(9 * a * b + 2 * b for a, b in up) + 49 * 32 * 3
    widths = [3, 128, 128, 256, 512, 512, 1024, 1024]
    judge = sum(25 * a * b + 2 * b for a, b in pairwise(widths))
    judge += sum(k * k * widths[place + 1] for k, place in zip((5, 10, 10, 6, 3), (0, 1, 3, 5, 6), strict=True))
    with torch.device("meta"):
        networks = style_encoder(32), style_decoder(32), ScoredDiscriminator()
        scores = networks[2](torch.zeros(1, 3, 768, 768))
    assert [sum(p.numel() for p in one.parameters()) for one in networks] == [encoder, decoder, judge]
    assert [one.shape[2] for one in scores] == [384, 192, 48, 12, 6]


@pytest.mark.parametrize(("side", "kernel", "stride"), [(8, 5, 2), (7, 5, 2), (8, 10, 1), (6, 3, 1)])
def test_same_puts_the_odd_zero_at_the_end(side, kernel, stride):
    layer = SameConv2d(1, 1, kernel, stride=stride)
    with torch.no_grad():
        layer.convolution.weight.fill_(1.0)
        found = layer(torch.ones(1, 1, side, side))[0, 0]
    # Output o sees inputs from o * stride - floor(total / 2) on; a row counts how many of them are in the picture.
    out = -(-side // stride)
    before = max((out - 1) * stride + kernel - side, 0) // 2
    row = [
        len([i for i in range(o * stride - before, o * stride - before + kernel) if 0 <= i < side]) for o in range(out)
    ]
    assert_close(found, torch.tensor(row).float()[:, None] * torch.tensor(row).float())


def test_blurring_is_a_mean_of_what_lies_in_the_picture():
    x = torch.rand(2, 3, 6, 7, generator=stream(1, "x"))
    y = blurred(x, 4)  # One pixel before, two after.
    assert y.shape == x.shape
    assert_close(y[:, :, 0, 0], x[:, :, :3, :3].mean((2, 3)))
    assert_close(y[:, :, 3, 3], x[:, :, 2:6, 2:6].mean((2, 3)))
    assert_close(blurred(torch.ones(1, 1, 5, 5), 10), torch.ones(1, 1, 5, 5))


def test_the_losses_are_those_of_contents_blurred_pictures_and_scores():
    model, batch = started(content_weight=3.0, blurred_weight=5.0, adversarial_weight=2.0), domains()
    terms = model.phases()[0].loss(batch)
    content = model.generator.encoder(batch.a)
    made = model.generator.decoder(content)
    assert_close(terms["content"], 3 * (model.generator.encoder(made) - content).abs().flatten(1).mean(1))
    assert_close(terms["blurred"], 5 * (blurred(made, 4) - blurred(batch.a, 4)).square().flatten(1).mean(1))
    scores = model.discriminator(made)

    def cross_entropy(maps, wanted):
        each = [F.binary_cross_entropy_with_logits(x, torch.full_like(x, wanted), reduction="none") for x in maps]
        return sum(one.flatten(1).mean(1) for one in each)

    assert_close(terms["adversarial"], 2 * cross_entropy(scores, 1.0))
    found = model.phases()[1].loss(batch)
    real, given = model.discriminator(batch.b), model.discriminator(batch.a)
    assert_close(found["real_or_made"], 2 * (cross_entropy(real, 1.0) + cross_entropy(scores, 0.0)))
    assert_close(found["contents"], 2 * cross_entropy(given, 0.0))


def test_one_player_moves_and_the_rate_of_wins_has_its_closed_form():
    model = started()
    generator, discriminator = model.phases()
    assert (generator.turn(0, 0), discriminator.turn(0, 0)) == (True, False)
    # k moves of a generator that is taken for real by a share a leave (1 - a) + (0.8 - 1 + a) 0.95^k.
    batch = domains()
    for k in range(1, 4):
        batch.keep("won", torch.tensor([0.5, 0.75, 1.0]))  # a = 1/4.
        generator.after(batch, {})
        assert_close(model.wins, torch.tensor(0.75 + 0.05 * 0.95**k))
    assert (generator.turn(3, 12), discriminator.turn(3, 12)) == (False, True)
    batch.keep("won", torch.ones(3))  # It is always right: it need not move again for long.
    for _ in range(10):
        discriminator.after(batch, {})
    assert generator.turn(13, 52)


def test_who_wins_is_counted_over_places_depths_and_kinds():
    model, batch = started(), domains()

    class Scores(torch.nn.Module):
        def forward(self, images):
            level = 1.0 if images is batch.b else -1.0
            return [level * torch.ones(3, 1, 4, 6), torch.tensor([1.0, -1.0]).repeat(3, 1, 2, 3)]

    model.discriminator = Scores()
    model.phases()[1].loss(batch)
    assert batch.kept["won"].tolist() == [0.75] * 3  # All of the first depth, half of the second.
    model.phases()[0].loss(batch)
    assert batch.kept["won"].tolist() == [0.75] * 3  # The generator is rejected by all, and by half.


def test_pictures_that_are_halved_to_single_pixels_are_refused():
    with pytest.raises(UserError, match="at least 129 pixels"):
        Config(height=128, width=256)
    with pytest.raises(UserError, match="the same number"):
        Config(other_channels=1)
    with pytest.raises(UserError, match="in their order"):
        Config(scored=(1, 0))


def test_scores_grow_with_the_contrast_of_a_picture_only_without_norms():
    # Convolutions without biases and leaky ReLUs are homogeneous: twice the picture, twice the scores. Norms undo it.
    picture = torch.rand(2, 3, 16, 16, generator=stream(0, "pictures")) - 0.5
    for normed, times in ((False, 2), (True, 1)):
        judge = ScoredDiscriminator(features=4, scored=(0, 1), normed=normed)
        initialise(judge, stream(0, "weights"))
        for once, twice in zip(judge(picture), judge(2 * picture), strict=True):
            assert_close(
                twice, times * once, rtol=0, atol=0.02 * float(once.detach().abs().max())
            )  # Norms have a floor.
