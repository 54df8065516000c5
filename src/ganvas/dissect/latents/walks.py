"""Ways through the space of latents: straight, along the sphere, in a circle, and at a constant speed of the picture.

Where latents are normalised before they are used (a ProGAN does), a straight line runs along the same arc as the
sphere's shortest way, at another speed: at ``t`` of the line between codes at an angle ``theta`` the arc has come to

    ``atan2(t sin theta, 1 - t + t cos theta)``.

Where they are not, its middle has the length ``cos(theta / 2)``, which hardly any latent of a high-dimensional normal
distribution has (White 2016, Sampling Generative Networks, https://arxiv.org/abs/1609.04468).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.shapes import Images, PerSample

Code = Float[Tensor, " z"]
Path = Float[Tensor, "steps z"]


def lerp(a: Code, b: Code, t: Float[Tensor, " steps"]) -> Path:
    """``(1 - t) a + t b``."""
    return a + t[:, None].to(a) * (b - a)


def slerp(
    a: Float[Tensor, "... z"], b: Float[Tensor, "... z"], t: Float[Tensor, "..."], *, straight: bool = False
) -> Float[Tensor, "... z"]:
    """Along the great circle from a to b, the length changing evenly (Shoemake 1985).

    Args:
        t: How far: a number for each pair of codes, or several for one pair.
        straight: Codes that point in opposite directions are joined by a line instead of refused.

    Raises:
        UserError: a code is 0, or two point in opposite directions, so that there is no shortest way.
    """
    first, second, t = a.double(), b.double(), t.double()[..., None]
    lengths = [code.norm(dim=-1, keepdim=True) for code in (first, second)]
    if not all(bool((length > 0).all()) for length in lengths):
        raise UserError("A code of zeros has no direction, so no way along the sphere begins there.")
    angle = _angle(first / lengths[0], second / lengths[1])
    opposite = math.pi - angle < 1e-6
    if opposite.any() and not straight:
        raise UserError(
            "The two codes point in opposite directions: every great circle leads there. Go by a third code."
        )
    line = opposite | (angle < 1e-9)
    sine = torch.where(line, 1.0, angle.sin())
    ways = (torch.sin((1 - t) * angle) * first / lengths[0] + torch.sin(t * angle) * second / lengths[1]) / sine
    along = ways * ((1 - t) * lengths[0] + t * lengths[1])
    return torch.where(line, (1 - t) * first + t * second, along).to(a.dtype)


def lerp_angle(theta: float, t: Float[Tensor, " steps"]) -> Float[Tensor, " steps"]:
    """How far along the arc a straight line has come, for codes of one length at an angle theta."""
    return torch.atan2(t * math.sin(theta), 1 - t + t * math.cos(theta))


def circle(centre: Code, direction: Code, steps: int) -> Path:
    """A closed walk on the sphere: from the centre round by way of a direction, in the plane of the two.

    Raises:
        UserError: the two are in line.
    """
    length = centre.norm()
    across = direction - centre * (direction @ centre) / length.square().clamp_min(1e-30)
    if not across.norm() > 1e-6 * direction.norm():
        raise UserError("The direction is in line with the code, so the two span no plane to walk round in.")
    across = across / across.norm() * length
    angle = torch.arange(steps, dtype=centre.dtype) * (2 * math.pi / steps)
    return torch.cos(angle)[:, None] * centre + torch.sin(angle)[:, None] * across


def even_pace(change: Float[Tensor, " fine"], steps: int) -> Float[Tensor, " steps"]:
    """Where on a fine walk to stand so that pictures change by the same from step to step.

    Args:
        change: Of the picture from each point of the fine walk to the next; its points are evenly spaced from 0 to 1.

    Returns:
        Positions from 0 to 1 that part the cumulated change evenly.
    """
    way = torch.cat([torch.zeros(1, dtype=torch.float64), change.double().cumsum(0)])
    if not way[-1] > 0:
        return torch.linspace(0, 1, steps, dtype=torch.float64)
    wanted = torch.linspace(0, 1, steps, dtype=torch.float64) * way[-1]
    after = torch.searchsorted(way, wanted).clamp(1, len(way) - 1)
    part = (wanted - way[after - 1]) / (way[after] - way[after - 1]).clamp_min(1e-300)
    return (after - 1 + part.clamp(0, 1)) / (len(way) - 1)


def picture_change(images: Images, others: Images) -> PerSample:
    """The root mean square difference of colours, picture by picture."""
    return (images - others).flatten(1).double().square().mean(1).sqrt()


def _angle(a: Float[Tensor, "*n z"], b: Float[Tensor, "*n z"]) -> Float[Tensor, "*n 1"]:
    """Between unit vectors, exact for small and for large ones."""
    cosine = (a * b).sum(-1, keepdim=True)
    return torch.atan2((b - cosine * a).norm(dim=-1, keepdim=True), cosine)
