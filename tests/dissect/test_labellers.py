"""Labellers: rules on pictures whose answer is plain, and a segmenter trained for a moment."""

import pytest
import torch
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.dissect.labellers import rules, segmenter, segmenter_training
from ganvas.dissect.labellers.labeller import Differentiable, Labeller
from ganvas.dissect.labellers.labeller_catalogue import labeller_named
from ganvas.dissect.labellers.mask_folder import mask_folder_labeller
from ganvas.dissect.labellers.segmenter_training import SegmenterPlan, train
from ganvas.features.colours import COLOURS

RULES = (rules.colours, rules.brightness, rules.edges, rules.texture)


def plain(*rgb):
    return torch.tensor(rgb)[None, :, None, None].expand(1, 3, 8, 8) * 2.0 - 1


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_a_labeller_that_parts_the_picture(rule, rng):
    made = rule()
    assert isinstance(made, Labeller)
    masks = made.segment(torch.rand(3, 3, 8, 8, generator=rng) * 2 - 1)
    assert masks.shape == (3, 8, 8)
    assert 0 <= masks.min() <= masks.max() < len(made.labels)


def test_colours_and_brightness_of_plain_pictures():
    assert rules.colours().segment(plain(1.0, 0.0, 0.0)).unique().tolist() == [list(COLOURS).index("red")]
    shades = [rules.brightness().segment(plain(v, v, v)).unique().item() for v in (0.1, 0.5, 0.9)]
    assert shades == [0, 1, 2]


def test_edges_are_where_black_meets_white_and_nowhere_else():
    picture = plain(0.0, 0.0, 0.0).clone()
    picture[..., 4:] = 1.0
    masks = rules.edges().segment(picture)
    assert masks[0, :, 3:5].all()
    assert not masks[0, :, :3].any()
    assert not masks[0, :, 5:].any()


def test_texture_tells_a_chequered_ground_from_a_smooth_one():
    picture = plain(0.5, 0.5, 0.5).clone()
    picture[..., ::2, ::2] += 0.3
    assert rules.texture().segment(picture)[0, 2:6, 2:6].eq(1).all()
    assert not rules.texture().segment(plain(0.5, 0.5, 0.5)).any()


def squares(n, rng):
    """White squares on dark ground."""
    images, masks = torch.full((n, 3, 12, 12), -0.8), torch.zeros(n, 12, 12, dtype=torch.uint8)
    for at in range(n):
        y, x = torch.randint(8, (2,), generator=rng).tolist()
        images[at, :, y : y + 4, x : x + 4] = 0.8
        masks[at, y : y + 4, x : x + 4] = 1
    return images, masks


@pytest.fixture(scope="module")
def trained():
    images, masks = squares(64, torch.Generator().manual_seed(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segmenter_training, "PASTES", 64)
        return train(
            images, masks, ["ground", "square"], SegmenterPlan(steps=60, width=4), source="squares", quiet=True
        )


def test_a_segmenter_learns_squares_and_its_card_says_so(trained, tmp_path):
    network, card = trained
    assert card["mean_iou"] > 0.6  # Of one that says ground everywhere: 0.44.
    assert card["paste_recall"]["square"] > 0.6
    segmenter.save(network, card, tmp_path / "kept")
    loaded = segmenter.load(tmp_path / "kept")
    images, masks = squares(8, torch.Generator().manual_seed(1))
    assert (loaded.segment(images) == masks).double().mean() > 0.9
    assert torch.equal(loaded.segment(images), network(images).argmax(1))


def test_a_segmenters_belief_adds_up_to_one_and_has_a_gradient(trained, tmp_path):
    segmenter.save(*trained, tmp_path / "kept")
    loaded = segmenter.load(tmp_path / "kept")
    assert isinstance(loaded, Differentiable)
    images = squares(2, torch.Generator().manual_seed(1))[0].requires_grad_()
    belief = loaded.score(images)
    assert torch.allclose(belief.sum(1), torch.ones(2, 12, 12))
    belief[:, 1].sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_training_is_a_function_of_its_seed():
    images, masks = squares(16, torch.Generator().manual_seed(0))
    one, other = (
        train(images, masks, ["a", "b"], SegmenterPlan(steps=2, width=2), source="s", quiet=True)[0] for _ in range(2)
    )
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_too_few_pictures_are_refused():
    images, masks = squares(4, torch.Generator().manual_seed(0))
    with pytest.raises(UserError, match="4 pictures with masks"):
        train(images, masks, ["a", "b"], SegmenterPlan(), source="mine", quiet=True)


def test_a_folder_of_masks_trains_a_labeller_once(planted, tmp_path, monkeypatch):
    images, masks = squares(8, torch.Generator().manual_seed(0))
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for at, (image, mask) in enumerate(zip(images, masks, strict=True)):
        colours = ((image.permute(1, 2, 0) + 1) * 127.5).byte().numpy()
        Image.fromarray(colours).save(tmp_path / "images" / f"{at}.png")
        Image.fromarray(mask.numpy()).save(tmp_path / "masks" / f"{at}.png")
    (tmp_path / "labels.txt").write_text("ground\nsquare\n")
    plan = SegmenterPlan(steps=3, width=2)
    found = mask_folder_labeller(tmp_path, (12, 12), plan=plan, quiet=True)
    assert found.labels == ("ground", "square")
    monkeypatch.setattr("ganvas.dissect.labellers.mask_folder.train", None)  # Kept in the cache.
    assert mask_folder_labeller(tmp_path, (12, 12), plan=plan, quiet=True).identity == found.identity
    (tmp_path / "masks" / "3.png").unlink()
    with pytest.raises(UserError, match="needs a mask of its name"):
        mask_folder_labeller(tmp_path, (12, 12), plan=plan, quiet=True)


def test_an_unknown_labeller_is_refused_with_the_nearest(planted):
    with pytest.raises(UserError, match="Did you mean 'colours'"):
        labeller_named("colors", planted.subject)


def test_a_folder_without_a_segmenter_is_refused(planted, tmp_path):
    with pytest.raises(UserError, match="no trained segmenter"):
        labeller_named(str(tmp_path), planted.subject)
