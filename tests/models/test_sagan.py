import dataclasses

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan.sagan import TINY, Config, Model
from ganvas.nn.blocks.self_attention import SelfAttention2d
from ganvas.nn.layers.initialise import initialise
from ganvas.train.execution.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model


def batch(n=2, classes=0):
    images = torch.rand(n, 3, 16, 16, generator=stream(1, "images")) * 2 - 1
    labels = torch.arange(n) % classes if classes else None
    return Pictures(images=images, labels=labels, rng=stream(2, "noise"))


def test_the_network_of_a_thousand_classes_has_81_5_million_parameters():
    # Brock et al. 2019 (https://arxiv.org/abs/1809.11096), table 1: the baseline, of both networks together.
    with torch.device("meta"):
        model = Model(Config(num_classes=1000))
    assert round(sum(parameter.numel() for parameter in model.parameters()) / 1e6, 1) == 81.5


@pytest.mark.parametrize(
    ("changes", "side"),
    [({}, 32), ({"attention_resolution": 64}, 64), ({"resolution": 32}, 16), ({"base": (2, 2), "resolution": 64}, 16)],
    ids=str,
)
def test_both_networks_attend_at_the_resolution_that_is_set_or_at_half_of_a_small_picture(changes, side):
    with torch.device("meta"):
        model = Model(Config(**changes))
        seen = []
        for part in model.modules():
            if isinstance(part, SelfAttention2d):
                part.register_forward_hook(lambda module, inputs, output: seen.append(output.shape[2:]))
        model.judge(model.decode(torch.empty(2, 128)))
    assert seen == [(side, side), (side, side)]


@pytest.mark.parametrize("changes", [{"attention_resolution": 0}, {"resolution": 4}], ids=str)
def test_there_may_be_no_attention(changes):
    with torch.device("meta"):
        model = Model(Config(**changes))
    assert not any(isinstance(part, SelfAttention2d) for part in model.modules())


def test_an_attention_that_starts_at_zero_leaves_the_pictures_as_they_are_and_then_grows():
    model = started(attention_start=0.0)
    state = new_state(model)
    assert model.generator.attention.gamma == 0
    executor = Eager(state, seed=0, ranks=Ranks(), precision=torch.float32)
    set_learning_rate(state, 1e-3)
    executor.step(batch(8), model.schedule().at(0))
    assert model.generator.attention.gamma != 0
    assert model.discriminator.blocks[1].gamma != 0


def test_the_discriminator_learns_four_times_as_fast():
    state = new_state(started())
    set_learning_rate(state, 1e-4)
    rates = {player.path: float(player.optimizer.param_groups[0]["lr"]) for player in state.players}
    assert rates == pytest.approx({"discriminator": 4e-4, "generator": 1e-4})


def test_the_losses_are_the_hinges_of_scores_of_the_classes_of_the_reals():
    model = started(num_classes=2).eval()
    d, g = model.phases()
    given = batch(classes=2)
    with torch.no_grad():
        fakes = model.decode(given.randn(TINY.latent_size), given.classes)
        real, fake = model.discriminator(given.images, given.classes), model.discriminator(fakes, given.classes)
        found_d = d.loss(given.with_rng(stream(2, "noise")))["hinge"]
        found_g = g.loss(given.with_rng(stream(2, "noise")))["hinge"]
    # Zhang et al. 2019, eq. 4, worked for two pictures.
    expected = [max(0.0, 1 - float(real[i])) + max(0.0, 1 + float(fake[i])) for i in range(2)]
    assert_close(found_d, torch.tensor(expected), rtol=1e-5, atol=1e-5)
    assert_close(found_g, -fake, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "change", [{"attention_resolution": 24}, {"discriminator_lr_factor": 0.0}, {"features": 0}], ids=str
)
def test_impossible_settings_are_refused_with_the_value(change):
    ((_, value),) = change.items()
    with pytest.raises(UserError, match=str(value)):
        Config(**change)
