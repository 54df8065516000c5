"""Makes signal_he.svg, signal_xavier.svg, signal_dcgan.svg, signal_resnet.svg and collapse.svg.

python docs/figures/signals.py
"""

from itertools import pairwise
from pathlib import Path

from torch import nn

from ganvas.anatomy.loading.load import load
from ganvas.anatomy.loading.random_weights import with_weights
from ganvas.anatomy.signal.relu_collapse import collapse
from ganvas.anatomy.signal.relu_collapse_picture import collapse_picture
from ganvas.anatomy.signal.signal import signal
from ganvas.anatomy.signal.signal_picture import signal_picture
from ganvas.report.drawing.drawing import write

HERE = Path(__file__).parent


def plain() -> nn.Module:
    """Twenty convolutions with a ReLU behind each."""
    sizes = [3, *[32] * 20]
    return nn.Sequential(*(part for a, b in pairwise(sizes) for part in (nn.Conv2d(a, b, 3, padding=1), nn.ReLU())))


def main() -> None:
    for init in ("he", "xavier"):
        found = signal(plain(), (1, 3, 16, 16), init=init, seeds=16, quiet=False)
        write(signal_picture("20 convolutions and ReLUs", found), HERE / f"signal_{init}.svg")
    for name, spec, init in (("dcgan", "gan/dcgan:discriminator", "as-is"), ("resnet", "cifar_resnet20", "he")):
        loaded = load(spec)
        assert loaded.inputs is not None
        found = signal(
            with_weights(loaded),
            *loaded.inputs,
            init=init,
            seeds=8,
            make=lambda seed, loaded=loaded: with_weights(loaded, seed=seed),
            quiet=False,
        )
        write(signal_picture(loaded.name, found), HERE / f"signal_{name}.svg")
    write(collapse_picture(collapse()), HERE / "collapse.svg")


if __name__ == "__main__":
    main()
