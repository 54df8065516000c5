"""Any metric of Ganvas as a ``torchmetrics.Metric``, for training loops and collections that expect one.

::

    metric = torchmetric("fid", network="untrained")
    metric.update(real_pictures, real=True)          # uint8 (n, c, h, w)
    metric.update(generated, real=False)
    metric.compute()                                 # a float64 tensor; metric.results has its error and protocol

``state_dict`` holds what was seen, so that a resumed run goes on from there. Under ``torch.distributed`` every rank
feeds its own share and every rank computes the value of all of them.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.core.errors import UserError
from ganvas.metrics.accumulators.feature_pass import Extractor
from ganvas.metrics.accumulators.metric_contract import shows_pairs
from ganvas.metrics.measuring import metric_catalogue
from ganvas.metrics.measuring.flow import SEEN

if TYPE_CHECKING:
    from ganvas.metrics.torchmetrics.adapted import Adapted


def torchmetric(
    name: str,
    *,
    config: Any = None,
    network: str | Path | Extractor | None = None,
    seed: int = 0,
    device: Any = "cpu",
) -> "Adapted":
    """A metric that counts in torchmetrics' way.

    Args:
        name: As ``ganvas metrics`` lists it.
        config: The metric's ``Config`` where it departs from the default.
        network: A network, its name, or its file; the one of the metric's paper where left out.
        seed: Of the metric's random choices.
        device: Where a network that is named looks.

    Raises:
        UserError: torchmetrics is not installed, the metric is not one of sets of pictures, or the network's weights
            are not there.
    """
    module = metric_catalogue.load(name)
    if module.SEES not in SEEN:
        raise UserError(f"{name} is not a measure of sets of pictures, so it cannot be fed with batches.")
    try:
        from ganvas.metrics.torchmetrics.adapted import Adapted
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("torchmetrics"):
            raise
        raise UserError(
            "torchmetrics is not installed, so nothing can be made a torchmetrics.Metric: pip install torchmetrics."
        ) from None
    return Adapted(name, config=config, network=_network(module, network, device), seed=seed)


def _network(module: Any, given: str | Path | Extractor | None, device: Any) -> Extractor | None:
    if module.SEES == "pixels" and not shows_pairs(module):
        return None
    if given is not None and not isinstance(given, (str, Path)):
        return given
    from ganvas.features import network_catalogue as features

    return features.load(str(given or module.NETWORK), device=device)
