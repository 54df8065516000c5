"""A trained model as likelihoods see it: normal latents in, pictures of colours in [0, 1] out, gradients kept."""

from typing import TYPE_CHECKING, Any

from ganvas.core.errors import UserError

if TYPE_CHECKING:
    from ganvas.metrics.likelihood.observation_models import Decoder
    from ganvas.train.trained import Trained

COLOUR_SCALE = 127.5 / 256  # From colours in [-1, 1] to those in [0, 1] in which the density is.
DRAWN = 2048  # Latents that are held against what is known of their distribution.


def decoder_of(trained: "Trained", *, label: str | None = None) -> "Decoder":
    """A trained model as likelihoods see it: N(0, I) in, pictures of colours in [0, 1] out, gradients kept.

    Raises:
        UserError: it has no decoder, its latents' distribution is not known, or a class is missing.
    """
    import torch

    from ganvas.core.seeds import stream
    from ganvas.losses.capabilities import HasLatents
    from ganvas.metrics.likelihood.observation_models import Decoder, from_colours, from_uniform

    model = trained.require(HasLatents)
    if trained.conditional and label is None:
        raise UserError(
            f"{trained.name} draws given classes, so pictures have a likelihood per class. Name theirs with --label."
        )
    labels = trained.labels(1, seed=0, label=label)
    drawn = model.latents(DRAWN, stream(0, "ais", "prior"))
    uniform = has_uniform_prior(trained)
    _require_prior(trained.name, drawn, said=model.prior, uniform=uniform)

    def decode(z: torch.Tensor) -> torch.Tensor:
        given = None if labels is None else labels.to(z.device).expand(len(z))
        latents = from_uniform(z) if uniform else z
        return from_colours(trained.full_size(model.decode(latents, given, stage=trained.stage)))

    return Decoder(decode=decode, latent_size=drawn.shape[1], device=trained.device)


def _require_prior(name: str, drawn: Any, *, said: str, uniform: bool) -> None:
    """What a model says of its latents is held against some of them: mean, deviation and range."""
    deviation = 3**-0.5 if uniform else 1.0
    flat = drawn.double().flatten()
    off = max(abs(float(flat.mean())), abs(float(flat.std()) - deviation))
    inside = bool((flat.abs() <= 1).all()) == uniform
    if said == "other" or off > 0.1 or not inside or drawn.ndim != 2:
        raise UserError(
            f"The latents of {name} are neither of N(0, I) nor uniform in [-1, 1], and of no other prior is it known "
            "how to turn it into a normal one. It has no likelihood here."
        )


def own_variance(trained: "Trained") -> float | None:
    """The variance of a model that has learnt one, for colours in [0, 1]."""
    from ganvas.losses.capabilities import HasNoise

    if not isinstance(trained.model, HasNoise):
        return None
    return float(trained.model.log_variance().double().exp()) * COLOUR_SCALE**2


def has_uniform_prior(trained: "Trained") -> bool:
    """Whether latents are of U[-1, 1], and not of N(0, I)."""
    from ganvas.losses.capabilities import HasLatents

    return trained.require(HasLatents).prior == "uniform"
