"""Measuring points: a file of them, or what a run draws, against a law that is known."""

from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.core.errors import UserError
from ganvas.core.run_folder import is_run_or_model
from ganvas.tasks.measuring.measured_samples import MeasuredSamples, chosen_results

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float

    from ganvas.data.points.point_source import PointSource
    from ganvas.train.trained import Trained

MOST = 16_384  # Points that are measured where the number is left out.


def measured_points(
    a: str, b: str | None, *, n: int | None, seed: int, metrics: tuple[str, ...] | None, kimg: float | None
) -> MeasuredSamples:
    """Measures points against a law.

    Args:
        a: A file of points or a run that draws them.
        b: A mixture, or packed points of one; None is what the run was trained on.
        n: How many points; None is all of a file, and at most :data:`MOST`.
        metrics: Which values, by the first part of their names; None is all that the law allows.

    Raises:
        UserError: the law is not known, or its dimensions are others, or a metric is not of this law.
    """
    import hashlib

    import numpy as np

    from ganvas.core.hashes.derived_seeds import derive_seed
    from ganvas.data.points.mixtures import law_of
    from ganvas.metrics.points.point_results import point_results
    from ganvas.train.generator_slope import generator_slope
    from ganvas.train.trained import load

    path = Path(a).expanduser()
    trained = load(path, kimg=kimg) if is_run_or_model(path) else None
    name = _law_of_side(a, b, trained)
    law = law_of(name)
    points = _read(a, n or MOST) if trained is None else trained.sample_points(n or MOST, seed=seed)
    if points.shape[1] != law.dims:
        raise UserError(f"{a} has {points.shape[1]} numbers per point, and mixtures:{name} has {law.dims}.")
    if n is not None and len(points) < n:
        raise UserError(f"-n {n}: {a} has {len(points):,} points. Leave -n out, or ask for at most that many.")
    slope = None
    if trained is not None and law.gap is not None:
        slope = generator_slope(trained.model, seed=seed, stage=trained.stage)
    own, _ = law.points(np.arange(len(points)), seed=derive_seed(seed, "floor of a law"))
    what = f"points against mixtures:{name}"
    results = chosen_results(point_results(points, law, name=name, seed=seed, lipschitz=slope), metrics, of=what)
    return MeasuredSamples(
        against=f"mixtures:{name}",
        n=len(points),
        results=results,
        floor=chosen_results(point_results(own, law, name=name, seed=seed), metrics, of=what),
        fakes=hashlib.sha256(points.tobytes()).hexdigest()[:16],
        reals=name,
        trained=trained,
        own=trained is not None and b is None,
    )


def _law_of_side(a: str, b: str | None, trained: "Trained | None") -> str:
    """The law that is measured against, as "mixtures:" spells it."""
    from ganvas.data.points.packed_points import source_of

    if b is None and trained is None:
        raise UserError(f"{a} is no run, so its law is not known. Name it: ganvas measure {a} mixtures:ring8.")
    found = trained.data["mixture"] if b is None and trained is not None else source_of(b or "").mixture
    if found is None:
        where = b or f"What {a} was trained on"
        raise UserError(f"{where} has no known law, and points are measured against one, such as mixtures:ring8.")
    return found


def _read(spec: str, most: int) -> "Float[np.ndarray, 'n d']":
    """The first points of a source."""
    import numpy as np

    from ganvas.data.points.packed_points import source_of

    source: PointSource = source_of(spec)
    rows: list[np.ndarray] = []
    for block in source.blocks():
        rows.append(block.points[: most - sum(map(len, rows))])
        if sum(map(len, rows)) >= most:
            break
    return np.concatenate(rows)
