"""DeepFill v2: published parameter counts, live dilations, losses on constant networks."""

import dataclasses

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.fill.gated import TINY, Config, Model
from ganvas.nn.layers.initialise import initialise


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_it_has_as_many_parameters_as_the_authors_networks():
    with torch.device("meta"):
        model = Model(Config())
    assert parameters(model.generator) == 4_052_478
    assert parameters(model.discriminator) == 5_946_816


def test_dilations_that_would_reach_past_the_map_are_halved_until_they_do_not():
    assert Config().used_dilations == (2, 4, 8, 16)
    assert Config(height=32, width=64).used_dilations == (2, 4, 4, 4)  # A map of 8 rows.
    assert Config(height=32, width=32, live_dilations=False).used_dilations == (2, 4, 8, 16)


class Constant(nn.Module):
    """One value everywhere, of as many channels as asked."""

    def __init__(self, value, channels):
        super().__init__()
        self.value, self.channels = nn.Parameter(torch.tensor(value)), channels

    def forward(self, x, *_):
        return x[:, :1].expand(-1, self.channels, -1, -1) * 0 + self.value


def constant(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    model.generator = nn.ModuleDict({"coarse": Constant(0.25, 3), "refined": Constant(-0.5, 3)})
    model.discriminator = Constant(0.4, 2)
    return model


def half_a_picture():
    images, mask = torch.full((2, 3, 16, 16), 0.5), torch.ones(2, 1, 16, 16)
    mask[..., 8:] = 0
    return Pictures(images=images, mask=mask, rng=stream(0, "noise"))


def test_the_generator_pays_for_errors_of_both_stages_and_for_rejection():
    terms = {name: term.mean().item() for name, term in constant().phases()[0].loss(half_a_picture()).items()}
    assert terms == pytest.approx({"error_coarse": 0.25, "error_refined": 1.0, "adversarial": -0.4})


def test_the_discriminator_pays_half_the_hinge_of_both():
    (loss,) = constant().phases()[1].loss(half_a_picture()).values()
    assert_close(loss, torch.full((2,), 0.5 * (0.6 + 1.4)))


def test_the_refinement_sees_the_coarse_filling_in_the_hole_and_the_picture_around_it():
    model, seen = constant(), []
    model.generator.get_submodule("refined").register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    batch = half_a_picture()
    model.fill(batch.images, batch.known)
    assert seen[0][..., :8].unique().tolist() == [0.5]
    assert seen[0][..., 8:].unique().tolist() == [0.25]


def test_from_a_smooth_start_each_stage_adds_to_what_it_is_given():
    batch = half_a_picture()
    batch.images[..., 8:] = torch.nan  # Whose smooth continuation is 0.5.
    coarse, refined = constant(start="smooth").stages(batch.images, batch.known)
    assert_close(coarse[..., 8:], torch.full((2, 3, 16, 8), 0.75))
    assert_close(refined[..., 8:], torch.full((2, 3, 16, 8), 0.25))
    assert_close(refined[..., :8], torch.zeros(2, 3, 16, 8))  # The known half is handed on as it was.


def test_impossible_dilations_are_refused():
    with pytest.raises(UserError, match="dilations"):
        Config(dilations=(2, 0))
