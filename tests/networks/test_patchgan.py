"""PatchGAN: the least picture of a discriminator has one score, and a smaller one is refused."""

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.networks.translation.patchgan import instance_norm, patchgan, require_scores


@pytest.mark.parametrize("halvings", [1, 2, 3, 4, 5])
def test_the_least_picture_leaves_one_score_and_a_smaller_one_is_refused(halvings):
    least = 3 << halvings
    require_scores(halvings, (least, least))
    with torch.device("meta"):
        scores = patchgan(halvings, features=1, norm=instance_norm)(torch.zeros(1, 3, least, least))
    assert scores.shape == (1, 1, 1, 1)
    for size in ((least - 1, least), (least, least - 1)):
        with pytest.raises(UserError, match=f"at least {least}x{least} pixels, and these have {size[0]}x{size[1]}"):
            require_scores(halvings, size)


@pytest.mark.parametrize("halvings", [0, 6])
def test_a_discriminator_that_the_paper_has_not_is_refused(halvings):
    with pytest.raises(UserError, match=f"discriminator_halvings={halvings} must be 1 to 5"):
        require_scores(halvings, (999, 999))
