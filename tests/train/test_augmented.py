"""The augmentation of a run: chosen, refused, logged, saved, and never published."""

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.augmentation import AdaptiveAugmentation, DiffAugmentation, NoAugmentation
from ganvas.models.gan import dcgan, wgan
from ganvas.models.vae import vae
from ganvas.nn.layers.initialise import initialise
from ganvas.train.augmented import augmentation_note, augmentation_numbers, augmented, require_augmentable
from ganvas.train.plan import Plan
from ganvas.train.state import averaged_model, new_state


def model_of(augment):
    model = dcgan.Model(dcgan.TINY)
    initialise(model, stream(0, "weights"))
    return augmented(model, Plan(augment=augment, augment_kimg=2.0, augment_cap=0.5, augment_policies=("cutout",)))


def test_the_plan_chooses_what_a_gan_shows_to_its_discriminator():
    assert isinstance(model_of("none").augmentation, NoAugmentation)
    diff, ada = model_of("diff").augmentation, model_of("ada").augmentation
    assert isinstance(diff, DiffAugmentation)
    assert diff.policies == ("cutout",)
    assert isinstance(ada, AdaptiveAugmentation)
    assert (ada.target, ada.kimg, ada.cap) == (0.6, 2.0, 0.5)


@pytest.mark.parametrize("augment", ["diff", "ada"])
def test_a_model_that_would_not_use_it_refuses_it(augment):
    plan = Plan(augment=augment)
    with pytest.raises(UserError, match=f"--augment {augment}: vae/vae does not show pictures to a discriminator"):
        require_augmentable(vae.Model(vae.TINY), plan, "vae/vae")
    with pytest.raises(UserError, match="gan/wgan does not learn single pictures here"):
        require_augmentable(wgan.Model(wgan.TINY_POINTS), plan, "gan/wgan")
    require_augmentable(dcgan.Model(dcgan.TINY), plan, "gan/dcgan")
    require_augmentable(vae.Model(vae.TINY), Plan(), "vae/vae")


def test_p_is_saved_with_the_state_and_not_published():
    model = model_of("ada")
    model.augmentation.p.fill_(0.25)
    state = new_state(model)
    assert float(state.tensors()["model/augmentation.p"]) == 0.25
    other = new_state(model_of("ada"))
    other.restore(state.tensors(), state.numbers())
    assert float(other.model.augmentation.p) == 0.25
    assert set(averaged_model(state)) == set(averaged_model(new_state(model_of("none"))))


def test_a_report_says_p_and_the_progress_line_too():
    model = model_of("ada")
    model.augmentation.p.fill_(0.25)
    numbers = augmentation_numbers(model)
    assert numbers == {"augment_p": 0.25, "augment_overfitting": 0.0}
    assert augmentation_note(numbers) == "augment p 0.25"
    assert augmentation_numbers(model_of("none")) == {}
    assert augmentation_note({}) == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"augment_cap": 1.0}, "augment_cap=1.0"),
        ({"augment_kimg": 0.0}, "augment_kimg=0.0"),
        ({"augment_target": 1.5}, "1.5"),
    ],
)
def test_impossible_settings_are_refused_by_name_and_value(change, message):
    with pytest.raises(UserError, match=message):
        Plan(**change)


def test_the_augmentation_follows_the_model_to_its_device():
    model = dcgan.Model(dcgan.TINY).to("meta")
    assert augmented(model, Plan(augment="ada")).augmentation.p.device == torch.device("meta")
