"""Likelihood, exact or bounded, that a model gives to points of a known law which it never saw.

::

    nats    mean of -log q over fresh draws of the law
    kl      mean of log p - log q over the same draws, the divergence of the model from the law: 0 where it is the law

Both are means of independent numbers, so they have standard errors; the divergence is never below 0 but for them.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float64

from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.results import Result
from ganvas.core.shapes import PerSample
from ganvas.data.points.law import Mixture

ROWS = 4096  # Points that go through the model at a time.


def names_of_likelihood(law: Mixture) -> Sequence[str]:
    """Both values where the law has a density, else the first."""
    return ("nats", "kl") if law.log_density(np.full((1, law.dims), 1.0)) is not None else ("nats",)


@torch.no_grad()
def likelihood_results(
    log_density: Callable[[torch.Tensor], PerSample],
    law: Mixture,
    *,
    name: str,
    n: int,
    seed: int,
    device: torch.device,
    kind: str = "exact density",
) -> list[Result]:
    """The values of ``n`` fresh draws.

    Args:
        log_density: Of the model, in nats.
        name: Of the law, for the protocol.
        seed: Of the draws, which are never those of a source.
        kind: What kind of number the log density is; of a lower bound the true values are at most these.
    """
    fresh = law.points(np.arange(n), seed=derive_seed(seed, "held-out draws of a law"))[0]
    parts = torch.from_numpy(fresh).float().split(ROWS)
    model = torch.cat([log_density(part.to(device)).double().cpu() for part in parts]).numpy()
    exact = law.log_density(fresh.astype(np.float64))
    how = {"name": name, "seed": seed, "kind": kind.replace(" ", "-")}
    found = [_result("nats", -model, **how)]
    return found if exact is None else [*found, _result("kl", exact - model, **how)]


def _result(metric: str, values: Float64[np.ndarray, " n"], *, name: str, seed: int, kind: str) -> Result:
    return Result(
        metric=metric,
        value=float(values.mean()),
        standard_error=float(values.std(ddof=1)) / math.sqrt(len(values)),
        error_method="standard error of the mean over draws",
        n=len(values),
        seed=seed,
        better="lower",
        protocol=f"{metric}:{name}:{kind}:fresh-draws:n{len(values)}",
    )
