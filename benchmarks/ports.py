"""Pictures that public PyTorch ports of GANs draw after so many seconds of one processor core, for time_to_quality.

- ``pytorch_GAN_zoo``: the progressive GAN of https://github.com/facebookresearch/pytorch_GAN_zoo (commit b75dee4 was
  measured), with its defaults but for the length and for the widths and latents, which are those of our preset.
- ``PyTorch-GAN``: the DCGAN of https://github.com/eriklindernoren/PyTorch-GAN (commit 36d3c77 was measured): its
  script as it stands, with three colours.

Both are run from checkouts that are named, and nothing of them is kept here. They are given pictures in memory, so they
pay nothing for decoding, and one thread; drawing is not counted.

``OMP_NUM_THREADS=1 python -m benchmarks.ports OUT --gan-zoo CHECKOUT --pytorch-gan CHECKOUT [--seconds 60 150 300]``
"""

import argparse
import contextlib
import copy
import importlib
import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol
from unittest.mock import MagicMock, patch

import torch
from benchmarks.time_to_quality import PICTURES
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.shapes import Images
from ganvas.data.packing import prepare

SECONDS = (60.0, 150.0, 300.0)
WIDTHS, LATENT = (32, 32, 32, 24), 64  # At 4, 8, 16 and 32 pixels: of `gan/progan --preset small`.
GROWN = 0.2  # The share of a run after which the last resolution trains alone: as in our preset.
CHUNK = 64  # Pictures drawn at a time.


class TimeIsUp(Exception):
    """The last moment has passed."""


class Port(Protocol):
    """What trains on pictures, and draws at any moment."""

    def train(self, pictures: Images, after_step: Callable[[int], None]) -> None:
        """Trains until ``after_step``, which hears how many pictures the step was shown, raises."""
        ...

    def draw(self, n: int) -> Images:
        """Pictures as the port itself would draw them, from -1 to 1."""
        ...


class GanZoo:
    """The progressive GAN of pytorch_GAN_zoo, its defaults but for widths, latents and length.

    Args:
        folder: The checkout.
        elapsed: The share of the run that is over, from 0 to 1, which its growth is laid out over; 1 at once is a net
            that has grown.
        widths: Feature maps at 4 pixels and at each doubling.
        latent: Size of a latent.
    """

    LR, BATCH = 1e-3, 16

    def __init__(
        self, folder: Path, elapsed: Callable[[], float], *, widths: Sequence[int] = WIDTHS, latent: int = LATENT
    ) -> None:
        with patch.object(sys, "path", [str(folder), *sys.path]):
            module = importlib.import_module("models.progressive_gan")
        vars(module)["optim"] = SimpleNamespace(Adam=adam)
        self.elapsed, self.widths, self.latent, self.scale = elapsed, tuple(widths), latent, 0
        self.model = module.ProgressiveGAN(
            dimLatentVector=latent,
            depthScale0=widths[0],
            miniBatchStdDev=True,
            lambdaGP=10.0,
            epsilonD=0.001,
            baseLearningRate=self.LR,
            useGPU=False,
        )

    def train(self, pictures: Images, after_step: Callable[[int], None]) -> None:
        """Steps on pictures of the resolution of now, faded in as its trainer does."""
        levels = len(self.widths)
        sizes = [F.avg_pool2d(pictures, 2 ** (levels - 1 - level)) for level in range(levels)]
        while True:
            self.grow()
            self.step(sizes[self.scale][torch.randint(len(pictures), (self.BATCH,))])
            after_step(self.BATCH)

    def step(self, reals: Images) -> None:
        """Its own step."""
        alpha = self.model.config.alpha
        if alpha:
            reals = alpha * F.interpolate(F.avg_pool2d(reals, 2), scale_factor=2.0) + (1 - alpha) * reals
        self.model.optimizeParameters(reals)

    def draw(self, n: int) -> Images:
        """By its averaged generator, at the resolution of now, doubled to the last one."""
        drawn = in_chunks(n, lambda: self.model.test(torch.randn(CHUNK, self.latent), getAvG=True))
        return F.interpolate(drawn, scale_factor=2.0 ** (len(self.widths) - 1 - self.scale))

    def grow(self) -> None:
        """Adds the resolutions whose time has come, and fades the newest in.

        Its own ``updateAlpha`` looks for the average in a ``DataParallel``, which there is on a GPU alone.
        """
        wanted, fade = growth(self.elapsed(), len(self.widths))
        while self.scale < wanted:
            self.scale += 1
            self.model.addScale(self.widths[self.scale])
        if self.scale and self.model.config.alpha != 1 - fade:
            self.model.config.alpha = 1 - fade
            for network in (self.model.netG, self.model.netD, self.model.avgG):
                network.setNewAlpha(1 - fade)


def growth(share: float, levels: int) -> tuple[int, float]:
    """Level and fade after a share of the run: parts of one length, first level 0, then fade and rest of others.

    >>> growth(0, 3), growth(0.06, 3), growth(0.1, 3), growth(1, 3)
    ((0, 1.0), (1, 0.5), (1, 1.0), (2, 1.0))
    """
    parts = min(share / GROWN, 1) * (2 * levels - 1)
    level = min(int(parts + 1) // 2, levels - 1)
    return level, min(parts - (2 * level - 1), 1.0) if level else 1.0


def adam(parameters: Iterator[Tensor], betas: Sequence[float], lr: float) -> torch.optim.Adam:
    """What GanZoo asks of torch, which no longer takes its whole number for the first beta."""
    return torch.optim.Adam(parameters, betas=(float(betas[0]), betas[1]), lr=lr)


class PyTorchGan:
    """The DCGAN of PyTorch-GAN: its script, as it stands, on our pictures in the place of MNIST."""

    ARGUMENTS = ("dcgan.py", "--channels", "3", "--n_epochs", "1000000")
    OTHERS = ("torchvision", "torchvision.transforms", "torchvision.utils", "torchvision.datasets")  # Reads, writes.

    def __init__(self, folder: Path) -> None:
        self.script = folder / "implementations" / "dcgan" / "dcgan.py"
        self.names: dict[str, Any] = {"__name__": "__main__"}

    def train(self, pictures: Images, after_step: Callable[[int], None]) -> None:
        """Runs the script, whose loader asks for the next batch when a step is over."""
        code = compile(self.script.read_text(encoding="utf-8"), str(self.script), "exec")

        def loader(*_: Any, batch_size: int, **__: Any) -> Batches:
            return Batches(pictures, batch_size, after_step)

        with (
            tempfile.TemporaryDirectory() as temporary,
            contextlib.chdir(temporary),
            patch.dict(sys.modules, {name: MagicMock() for name in self.OTHERS}),
            patch.object(sys, "argv", list(self.ARGUMENTS)),
            patch.object(torch.utils.data, "DataLoader", loader),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            exec(code, self.names)

    def draw(self, n: int) -> Images:
        """As the script draws: by the newest weights, normalised over each batch."""
        generator = copy.deepcopy(self.names["generator"])
        return in_chunks(n, lambda: generator(torch.randn(CHUNK, self.names["opt"].latent_dim)))


class Batches:
    """The loader that the script goes through, epoch after epoch; says when a step is over."""

    def __init__(self, pictures: Images, size: int, after_step: Callable[[int], None]) -> None:
        self.pictures, self.size, self.after_step = pictures, size, after_step

    def __len__(self) -> int:
        return len(self.pictures) // self.size

    def __iter__(self) -> Iterator[tuple[Tensor, None]]:
        for chosen in torch.randperm(len(self.pictures)).split(self.size):
            yield self.pictures[chosen], None
            self.after_step(len(chosen))


def in_chunks(n: int, draw: Callable[[], Images]) -> Images:
    """So many pictures, from what draws a few."""
    with torch.no_grad():
        return torch.cat([draw() for _ in range(-(-n // CHUNK))])[:n]


class Stopwatch:
    """Draws at each moment of the processor time of the steps, and ends after the last."""

    def __init__(self, out: Path, moments: Sequence[float]) -> None:
        self.out, self.moments, self.shown = out, list(moments), 0
        self.total, self.spent, self.started = moments[-1], 0.0, time.process_time()

    def elapsed(self) -> float:
        """The share of the time that is over."""
        return (self.spent + time.process_time() - self.started) / self.total

    def after_step(self, port: Port, shown: int) -> None:
        """Counts, and stops to draw where a moment has come."""
        self.shown += shown
        if self.elapsed() * self.total < self.moments[0]:
            return
        self.spent += time.process_time() - self.started
        keep(port.draw(PICTURES), self.out / f"{self.moments.pop(0):g}")
        sys.stderr.write(f"{self.out.name}: {self.spent:.0f} s, {self.shown / 1000:.1f} kimg\n")
        if not self.moments:
            raise TimeIsUp
        self.started = time.process_time()


def keep(pictures: Images, folder: Path) -> None:
    """One file a picture."""
    folder.mkdir(parents=True)
    levels = ((pictures + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
    for number, picture in enumerate(levels):
        Image.fromarray(picture).save(folder / f"{number:04}.png")


def main() -> None:
    """Trains each port whose checkout is named."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("out", type=Path, help="a new folder")
    arguments.add_argument("--gan-zoo", type=Path, metavar="CHECKOUT")
    arguments.add_argument("--pytorch-gan", type=Path, metavar="CHECKOUT")
    arguments.add_argument("--seconds", type=float, nargs="+", default=SECONDS, help="of processor time: the moments")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    packed = prepare("scenes:20000,32x32,seed=0", size=(32, 32), channels=3, quiet=True)
    pictures = torch.from_numpy(packed.read(range(len(packed)))).permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1
    if given.gan_zoo:
        watch = Stopwatch(given.out / "pytorch_GAN_zoo", sorted(given.seconds))
        follow(GanZoo(given.gan_zoo.resolve(), watch.elapsed), watch, pictures)
    if given.pytorch_gan:
        watch = Stopwatch(given.out / "PyTorch-GAN", sorted(given.seconds))
        follow(PyTorchGan(given.pytorch_gan.resolve()), watch, pictures)


def follow(port: Port, watch: Stopwatch, pictures: Images) -> None:
    """Trains one until its time is up."""
    torch.manual_seed(0)
    with contextlib.suppress(TimeIsUp):
        port.train(pictures, lambda shown: watch.after_step(port, shown))


if __name__ == "__main__":
    main()
