"""MUNIT: sizes of the published networks, what a style changes and what it does not, and the losses by hand."""

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream, torch_seeded
from ganvas.losses.batches.domain_batch import Domains
from ganvas.models.translate.munit import A_TO_B, TINY, Config, Model
from ganvas.networks.translation.content_style import STD, ContentStyle, SizesDiscriminator, StyledBlock
from ganvas.nn.layers.initialise import initialise


@pytest.fixture(scope="module")
def model():
    """Read only."""
    made = Model(TINY)
    initialise(made, stream(0, "weights"))
    return made


def domains(n=3):
    a, b = (torch.rand(n, 3, 8, 12, generator=stream(7, kind)) * 2 - 1 for kind in "ab")
    return Domains(a=a, b=b, rng=stream(3, "noise"))


def test_the_default_networks_have_the_sizes_of_the_authors():
    # Counted in NVlabs/MUNIT a82e222 with configs/edges2handbags_folder.yaml.
    with torch.device("meta"):
        maker, judge = ContentStyle(), SizesDiscriminator()
        scores = judge(torch.zeros(1, 3, 256, 256))
        content, style = maker.encode(torch.zeros(1, 3, 256, 256))
    assert sum(value.numel() for value in maker.parameters()) == 15_026_187
    assert sum(value.numel() for value in judge.parameters()) == 8_271_171
    assert [tuple(one.shape) for one in scores] == [(1, 1, 16, 16), (1, 1, 8, 8), (1, 1, 4, 4)]
    assert (tuple(content.shape), tuple(style.shape)) == ((1, 256, 64, 64), (1, 8))


def test_the_discriminator_starts_narrow_and_the_rest_by_he(model):
    assert {part.std for part in model.discriminators.modules() if hasattr(part, "std")} == {STD}
    assert STD not in {part.std for part in model.autoencoders.modules() if hasattr(part, "std")}


@torch.no_grad()
def test_a_block_takes_shift_before_scale():
    block = StyledBlock(1)
    initialise(block, stream(0, "weights"))
    x = torch.randn(1, 1, 5, 5, generator=stream(1, "x"))
    numbers = torch.tensor([[0.0, 1.0, 4.0, 2.0]])  # The second norm shifts by 4 and scales by 2.
    y = block(x, numbers) - x
    assert_close(y.mean(), torch.tensor(4.0), atol=1e-4, rtol=0)
    assert_close(y.std(correction=0), torch.tensor(2.0), atol=1e-2, rtol=0)


@torch.no_grad()
def test_a_drawn_style_chooses_among_translations_of_one_content(model):
    batch = domains()

    def made(seed):
        with torch_seeded(seed):
            return model.translate(batch.a, A_TO_B)

    assert torch.equal(made(1), made(1))
    assert not torch.equal(made(1), made(2))


def test_the_losses_are_those_of_pictures_contents_and_styles(model):
    changed = Model(dataclasses.replace(TINY, image_weight=3.0, style_weight=5.0, content_weight=7.0, cycle_weight=2.0))
    changed.load_state_dict(model.state_dict())
    batch, again = domains(), domains()
    terms = changed.phases()[0].loss(batch)
    s_a, s_b = again.randn(TINY.style_size), again.randn(TINY.style_size)
    a, b = model.autoencoders.a, model.autoencoders.b
    c_a, own = a.encode(batch.a)
    fake_b = b.decode(c_a, s_b)
    c_again, s_again = b.encode(fake_b)

    def apart(x, y):
        return (x - y).abs().flatten(1).mean(1)

    assert_close(terms["image_a"], 3 * apart(a.decode(c_a, own), batch.a))
    assert_close(terms["style_b"], 5 * apart(s_again, s_b))
    assert_close(terms["content_a"], 7 * apart(c_again, c_a))
    assert_close(terms["cycle_a"], 2 * apart(a.decode(c_again, own), batch.a))
    scores = model.discriminators["b"](fake_b)
    assert_close(terms["adversarial_b"], sum((one - 1).square().flatten(1).mean(1) for one in scores))
    assert_close(terms["image_b"], 3 * apart(b(batch.b), batch.b))
    found = changed.phases()[1].loss(batch)["real_or_fake_a"]
    real, fake = (model.discriminators["a"](shown) for shown in (batch.a, a.decode(b.content(batch.b), s_a)))
    squares = [x.square().flatten(1).mean(1) for pair in zip(real, fake, strict=True) for x in (pair[0] - 1, pair[1])]
    assert_close(found, sum(squares))


def test_the_rate_is_halved_ten_times_in_a_whole_run():
    with torch.device("meta"):
        schedule = Model(Config()).schedule()
    assert [schedule.at(1000 * kimg).lr for kimg in (0, 99, 100, 199, 200, 999)] == [
        *(1e-4, 1e-4, 5e-5, 5e-5, 2.5e-5),
        1e-4 / 2**9,
    ]
    assert TINY.fitted(0.5).decay_kimg == 0.05


def test_pictures_that_are_halved_away_are_refused():
    with pytest.raises(UserError, match="sides of at least 64 pixels"):
        Config(height=32, width=64)
