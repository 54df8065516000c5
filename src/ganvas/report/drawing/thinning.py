"""Long curves made short enough to draw, with every peak kept, and their running medians."""

from itertools import pairwise

import numpy as np

MEDIANS = 400  # Places of a running median.


def thin(x: np.ndarray, y: np.ndarray, *, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """The points that can be seen when ``x`` is drawn over ``columns`` pixels.

    Of the points of one pixel column the first, the least, the greatest and the last remain, and one gap (``nan``)
    where there was any: the drawn curve covers the pixels that the whole curve would. Short curves stay as they are.

    Args:
        x: Ascending positions; others leave the curve as it is.
        y: Values; what is not finite is a gap.
    """
    if len(x) <= 4 * columns or not (np.diff(x) >= 0).all():
        return x, y
    width = (x[-1] - x[0]) or 1.0
    column = np.minimum((x - x[0]) / width * columns, columns - 1).astype(int)
    starts = np.searchsorted(column, np.arange(columns + 1))
    kept = [_extremes(y, *bounds) for bounds in pairwise(starts.tolist()) if bounds[1] > bounds[0]]
    indices = np.concatenate(kept)
    return x[indices], y[indices]


def _extremes(y: np.ndarray, start: int, end: int) -> np.ndarray:
    """Ascending indices of what one column keeps."""
    finite = np.isfinite(y[start:end])
    kept = [] if finite.all() else [start + int(np.argmin(finite))]
    (inside,) = np.nonzero(finite)
    if inside.size:
        values = y[start:end][inside]
        kept += [start + int(inside[place]) for place in (0, int(values.argmin()), int(values.argmax()), -1)]
    return np.unique(kept)


def running_median(x: np.ndarray, y: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Medians of the finite values among ``window`` neighbouring points, at up to 400 places from first to last.

    The median and not the mean: one spike would draw a box as wide as the window.
    """
    centres = np.unique(np.linspace(0, len(y) - 1, min(len(y), MEDIANS)).round().astype(int))
    around = [y[max(0, c - window // 2) : c + window // 2 + 1] for c in centres]
    medians = [np.median(part[np.isfinite(part)]) if np.isfinite(part).any() else np.nan for part in around]
    return x[centres], np.array(medians)
