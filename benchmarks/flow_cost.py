"""What a picture costs a flow and a progressive GAN, by counting the published networks on shapes alone.

An article on distill.pub (Odena 2019) has 17.5 times as many GPU-days for Glow as for a progressive GAN; accounts
differ in how many days it took. Multiply-accumulates of one forward pass do not: Glow's five published settings, the
generator of a progressive GAN at 256 and at 1,024 pixels, and PixelCNN++, for a picture and for a pixel of it.

``python -m benchmarks.flow_cost``; half a minute, and ``ganvas table flow/glow:flow --preset celeba-hq256 --input
1,3,256,256`` has the layers.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import history
from ganvas.anatomy.loading.load import load
from ganvas.anatomy.trace.trace import trace


@dataclass(frozen=True, kw_only=True)
class Counted:
    """One network of a publication, on a picture of a size."""

    name: str
    network: str  # MODEL:PART.
    side: int
    preset: str | None = None
    changes: tuple[tuple[str, object], ...] = ()
    draws: bool = False  # From latents; else it is shown a picture.


COUNTED = (
    *(Counted(name=f"glow {preset}", network="flow/glow:flow", preset=preset, side=side)
      for preset, side in (("cifar10", 32), ("imagenet32", 32), ("imagenet64", 64), ("lsun64", 64),
                           ("celeba-hq256", 256))),
    *(Counted(name=f"progan {side}", network="gan/progan:generator", side=side, changes=(("resolution", side),),
              draws=True) for side in (256, 1024)),
    Counted(name="pixelcnn_pp", network="autoregressive/pixelcnn_pp:network", side=32),
)  # fmt: skip
FLOW, GAN, LARGE_GAN = "glow celeba-hq256", "progan 256", "progan 1024"


def main() -> None:
    """Counts, prints and records."""
    found = dict(counts())
    for name, values in found.items():
        history.record(f"flow_cost.{name}", values)
        sys.stdout.write(f"{name:20} {values['gmac']:8.1f} GMAC {values['kmac_per_pixel']:10.0f} kMAC a pixel "
                         f"{values['parameters_m']:7.2f} M parameters\n")  # fmt: skip
    ratios = {
        "picture_of_256": found[FLOW]["gmac"] / found[GAN]["gmac"],
        "picture_as_published": found[FLOW]["gmac"] / found[LARGE_GAN]["gmac"],
        "pixel_as_published": found[FLOW]["kmac_per_pixel"] / found[LARGE_GAN]["kmac_per_pixel"],
    }
    history.record("flow_cost.ratios", {name: round(value, 2) for name, value in ratios.items()})
    sys.stdout.write(f"{ratios}\n")


def counts() -> Iterator[tuple[str, dict[str, float]]]:
    """Of every network: its arithmetic and its weights."""
    for one in COUNTED:
        loaded = load(one.network, preset=one.preset, changes=dict(one.changes))
        inputs = loaded.inputs if one.draws else ((1, 3, one.side, one.side),)
        assert inputs is not None, one.name
        graph = trace(loaded.model, *inputs, name=one.name)
        yield (
            one.name,
            {
                "gmac": round(graph.macs / 1e9, 2),
                "kmac_per_pixel": round(graph.macs / one.side**2 / 1e3, 2),
                "parameters_m": round(graph.parameters / 1e6, 2),
            },
        )


if __name__ == "__main__":
    main()
