"""Errors of filled pictures by region: their holes, and whole pictures.

A filled picture is a copy outside of its hole, so that whole pictures score the better the smaller the hole is: a hole
of a share s gives 10 log10(1 / s) decibels for nothing. What is worth comparing is the hole; the whole picture stands
beside it because papers report it. Figures of papers do not compare with these or with each other, so every result says
its region, channels and window.

Three stand beside them as EdgeConnect's scripts have them (Nazeri et al. 2019, https://arxiv.org/abs/1901.00212):
``psnr.whole_grey`` and ``ssim.whole_grey`` are of the luma of Rec. 709, SSIM with even windows of 51 pixels (pictures
of smaller sides have none), and ``mae.whole_grey`` is ``sum |x - y| / sum (x + y)``, which is no mean of anything.

Per picture, then the mean over pictures; the standard error is their deviation by the root of their number.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from ganvas.core.results import Result
from ganvas.metrics.maths.pairs import ssim_map
from ganvas.metrics.psnr import PEAK
from ganvas.nn.guides.canny import to_grey

BIN = 0.1  # Width of the bins by the hole's share of the picture.
ERROR_METHOD = "deviation over pictures"
GREY_BOX = 51  # Side of EdgeConnect's windows.


@dataclass(frozen=True, kw_only=True)
class RegionErrors:
    """Of one filled picture and its truth."""

    share: float  # Of the picture that is hole.
    values: dict[str, float]  # "l1.hole" in [0, 1], "psnr.hole" and "psnr.whole" in dB, "ssim.hole", ...


def region_errors(
    filled: UInt8[Tensor, "c h w"], truth: UInt8[Tensor, "c h w"], hole: Bool[Tensor, "h w"]
) -> RegionErrors:
    """Mean absolute error, PSNR and SSIM in the hole and of the whole picture, float64.

    SSIM of the hole is the mean over windows whose centre lies in it; a hole all of whose pixels are nearer to the
    border than half a window has none. An error below one level of one value counts as that in decibels.
    """
    apart = filled.double() - truth.double()
    similar = ssim_map.maps(filled[None].double(), truth[None].double())[0][0].mean(0)
    edge = (hole.shape[0] - similar.shape[0]) // 2, (hole.shape[1] - similar.shape[1]) // 2
    centres = hole[edge[0] : edge[0] + similar.shape[0], edge[1] : edge[1] + similar.shape[1]]
    values = {
        "l1.hole": float(apart[:, hole].abs().mean()) / PEAK,
        "l1.whole": float(apart.abs().mean()) / PEAK,
        "psnr.hole": _decibels(apart[:, hole]),
        "psnr.whole": _decibels(apart),
        "ssim.whole": float(similar.mean()),
    }
    if bool(centres.any()):
        values["ssim.hole"] = float(similar[centres].mean())
    if len(filled) == 3:
        values |= _of_grey(filled, truth)
    return RegionErrors(share=float(hole.double().mean()), values=values)


@dataclass
class RegionTable:
    """Errors of many pictures. They add: one table after the other is the table of both."""

    channels: int
    rows: list[RegionErrors] = field(default_factory=list)

    def __add__(self, other: "RegionTable") -> "RegionTable":
        return RegionTable(self.channels, [*self.rows, *other.rows])

    def results(self, *, seed: int = 0) -> list[Result]:
        """Means over pictures, of all of them and by the share of the hole in bins of a tenth."""
        found = [self._mean(name, self.rows, name, "", seed) for name in _names(self.rows)]
        for first in sorted({int(row.share / BIN) for row in self.rows}):
            rows = [row for row in self.rows if int(row.share / BIN) == first]
            said = f"{first * BIN:.1f}-{(first + 1) * BIN:.1f}"
            found += [
                self._mean(f"{name}.{said}", rows, name, f":share{said}", seed)
                for name in ("l1.hole", "psnr.hole")
                if name in _names(rows)
            ]
        return found

    def _mean(self, metric: str, rows: Iterable[RegionErrors], name: str, said: str, seed: int) -> Result:
        values = torch.tensor([row.values[name] for row in rows if name in row.values], dtype=torch.float64)
        kind, region = name.split(".")
        colours = {1: "grey", 3: "rgb"}.get(self.channels, f"{self.channels}-channels")
        window = f":window{ssim_map.WINDOW}:sigma{ssim_map.SIGMA}"
        if region == "whole_grey":
            region, colours, window = "whole", "luma709", f":window{GREY_BOX}:even:sample-variances"
        window = window if kind == "ssim" else ""
        n = len(values)
        return Result(
            metric=metric,
            value=float(values.mean()),
            standard_error=float(values.std()) / math.sqrt(n) if n > 1 else None,
            error_method=ERROR_METHOD,
            n=n,
            seed=seed,
            better="lower" if kind in ("l1", "mae") else "higher",
            protocol=f"{kind}:{region}:n{n}:{colours}:uint8:mean-of-pictures{window}{said}",
        )


def _of_grey(filled: UInt8[Tensor, "3 h w"], truth: UInt8[Tensor, "3 h w"]) -> dict[str, float]:
    """What EdgeConnect's scripts measure."""
    x, y = (to_grey(picture[None].double() * (2 / PEAK) - 1) for picture in (filled, truth))
    values = {
        "psnr.whole_grey": _decibels(PEAK * (x - y)),
        "mae.whole_grey": float((x - y).abs().sum() / (x + y).sum().clamp_min(1 / PEAK)),
    }
    if min(x.shape[2:]) >= GREY_BOX:
        values["ssim.whole_grey"] = float(ssim_map.maps(x, y, 1.0, box=GREY_BOX)[0].mean())
    return values


def _names(rows: Iterable[RegionErrors]) -> list[str]:
    return sorted({name for row in rows for name in row.values})


def _decibels(apart: Tensor) -> float:
    """An error below one level of one value counts as that."""
    return 10 * math.log10(PEAK**2 / max(float(apart.square().mean()), 1 / apart.numel()))
