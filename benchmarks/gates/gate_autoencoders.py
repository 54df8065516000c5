"""Gates of the autoencoders on scenes of 16x16 pixels: what each promises, beside floors that learn nothing.

- ``denoising``: scenes with noise come back nearer to the truth than they were (identity), than a median filter of 3x3
  makes them, and than the best number of principal components does; a twin that never saw noise must fail. The best
  linear map stands beside.
- ``codes``: the codes of an adversarial autoencoder lie near its prior, by the sliced Wasserstein distance, for a
  normal prior and for the mixture; the untrained twin and the one without a game must lie twice as far away.
- ``labels``: with 100 labels the adversarial autoencoder classifies grey scenes by day that it never saw better than
  its encoder does alone on the same 100.
- ``sharpness``: samples of the VAE-GAN have a share of fine structure nearer to the data's than those of a VAE of equal
  width, and both reconstruct scenes better than the mean scene.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_autoencoders [GATE ...]``; about 8 minutes of one processor core in
all. Ends with 1 where a gate is missed.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from benchmarks.gates.preset_run import finished_run
from torch import Tensor
from torch.nn import functional as F

from benchmarks import history
from ganvas.core.pixels import to_float
from ganvas.core.seeds import stream
from ganvas.core.shapes import Images, Latents
from ganvas.data.packed import Packed
from ganvas.data.packing import prepare
from ganvas.losses.batches.picture_batch import HIDDEN
from ganvas.losses.capabilities import Classifies, Encodes, HasLatents
from ganvas.losses.game import Game
from ganvas.models.vae import aae
from ganvas.nn.layers.initialise import initialise
from ganvas.tasks.train import Train
from ganvas.train.feeds.picture_feed import told_labels
from ganvas.train.trained import load

DATA, HELD_OUT = "scenes:4000,16x16", "scenes:1000,16x16,seed=9"
BY_DAY = ",time=day"  # Of a source: then it is the place that scenes differ in most.
NARROW = ("features=8", "features_max=64", "batch_size=32", "measure_kimg=-1", "sample_kimg=1000")
NOISE = 0.75  # Deviation, of colours in [-1, 1]: much of a scene is gone.
LABELS = 100
DIRECTIONS = 256  # Of the sliced Wasserstein distance.


def main() -> None:
    """Runs the gates that were named, all where none was, and ends with an error where one is missed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    gates = {"denoising": denoising, "codes": codes, "labels": labels, "sharpness": sharpness}
    arguments.add_argument("gates", nargs="*", choices=[*gates, []], help="all where left out")
    torch.set_num_threads(1)
    missed = [missing for name in arguments.parse_args().gates or gates if (missing := gates[name]())]
    if missed:
        sys.exit("Missed: " + " ".join(missed))


def denoising() -> str:
    """Squared errors of scenes that were not trained on, per number, in units of the colour range [-1, 1]."""
    clean, known = held_out(), pictures(prepare(DATA, quiet=True))
    noisy = clean + NOISE * torch.randn(clean.shape, generator=stream(0, "noise"))
    found = {"identity": error(noisy, clean), "median filter": error(median_filtered(noisy), clean)}
    found["principal components"] = min(error(projected(noisy, known, k), clean) for k in (8, 16, 24, 32, 48, 64))
    for name, value in found.items():
        note("denoising", name, squared_error=value)
    note("denoising", "best linear map", squared_error=error(shrunk(noisy, known), clean))
    for name, noise in (("no noise in training", 0.0), ("denoising", NOISE)):
        started = time.process_time()
        model = trained("autoencoder", 60.0, f"noise={noise}", "latent_size=64", "features=16", "lr=0.002")
        found[name] = error(reconstructed(model, noisy), clean)
        note("denoising", name, squared_error=found[name], cpu_sec=time.process_time() - started)
    best = min(value for name, value in found.items() if name != "denoising")
    return "" if found["denoising"] < best else f"denoising: {found['denoising']:.4f} is not below {best:.4f}."


def codes() -> str:
    """Sliced Wasserstein distances between codes of scenes that were not trained on and as many draws of the prior."""
    missed = ""
    for prior in ("normal", "mixture"):
        settings = (f"prior={prior}", "latent_size=4", "discriminator_width=128")
        found: dict[str, float] = {}
        for name, more in (("untrained", ()), ("no game", ("game_rate=1e-9",)), ("aae", ())):
            started = time.process_time()
            model = trained("aae", 20.0, *settings, *more, begun=name == "untrained")
            drawn, again = (prior_of(model, 1000, seed) for seed in (1, 2))
            found[name] = sliced_distance(codes_of(model, held_out()), drawn)
            seconds = time.process_time() - started
            note("codes", f"{name}, {prior}", sliced_wasserstein=found[name], cpu_sec=seconds)
            found["floor"] = sliced_distance(again, drawn)
        note("codes", f"prior against itself, {prior}", sliced_wasserstein=found["floor"])
        if found["aae"] >= 0.5 * min(found["untrained"], found["no game"]):
            missed += f"codes: of the {prior} prior {found['aae']:.3f}, which is not half of what either twin has. "
    return missed.strip()


def labels() -> str:
    """The share of 1,000 grey scenes by day that were not trained on whose place is named rightly, with 100 labels."""
    started = time.process_time()
    settings = ("channels=1", "latent_size=4", "discriminator_width=128", "game_rate=0.5")
    model = trained("aae", 40.0, *settings, data=DATA + BY_DAY, labelled=LABELS)
    found, uncertain = accuracy(model)
    seconds = time.process_time() - started
    note("labels", "100 labels and 3,900 scenes", accuracy=found, error=uncertain, cpu_sec=seconds)
    started = time.process_time()
    alone, also_uncertain = accuracy(supervised(model, steps=1250))
    seconds = time.process_time() - started
    note("labels", "100 labels alone", accuracy=alone, error=also_uncertain, cpu_sec=seconds)
    margin = (uncertain**2 + also_uncertain**2) ** 0.5
    return "" if found > alone + margin else f"labels: {found:.3f} is not above {alone:.3f} by the error {margin:.3f}."


def sharpness() -> str:
    """How much of the energy of gradients is of fine structure, of scenes and of samples; errors of reconstructions."""
    real = held_out()
    wanted, mean = fine_share(real), pictures(prepare(DATA, quiet=True)).mean(0, keepdim=True)
    floor = error(mean.expand_as(real), real)
    note("sharpness", "scenes", fine_share=wanted, squared_error=floor)
    shares: dict[str, float] = {}
    missed = ""
    for name, kimg, settings in (
        ("vae", 40.0, ()),
        ("vae_gan", 40.0, ("discriminator_features=16", "gamma=0.001", "lr=0.0005")),
    ):
        started = time.process_time()
        model = trained(name, kimg, "latent_size=32", *settings)
        shares[name] = fine_share(samples(model, 1000))
        seconds, again = time.process_time() - started, error(reconstructed(model, real), real)
        note("sharpness", name, fine_share=shares[name], squared_error=again, cpu_sec=seconds)
        missed += "" if again < floor else f"sharpness: {name} reconstructs no better than the mean scene. "
    if abs(shares["vae_gan"] - wanted) >= abs(shares["vae"] - wanted):
        missed += f"sharpness: {shares['vae_gan']:.3f} is not nearer to {wanted:.3f} than {shares['vae']:.3f}. "
    return missed.strip()


def trained(
    name: str, kimg: float, *changes: str, data: str = DATA, labelled: int | None = None, begun: bool = False
) -> Game:
    """A model of the family ``vae`` after a run on one thread, in evaluation mode; as it began where that is asked."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        finished_run(
            Train(
                model=f"vae/{name}",
                data=data,
                out=out,
                kimg=0.1 if begun else kimg,
                set=("resolution=16", *NARROW, *changes),
                conditional=labelled is not None,
                labelled=labelled,
                quiet=True,
            )
        )
        return load(out, kimg=0.0 if begun else None).model.eval()


def supervised(like: Game, steps: int) -> Game:
    """The encoder of an adversarial autoencoder, trained on its 100 labelled scenes alone, with as many steps."""
    assert isinstance(like, aae.Model)
    packed = prepare(DATA + BY_DAY, channels=like.config.channels, quiet=True)
    told = torch.from_numpy(told_labels(np.array(packed.labels), LABELS, seed=0))
    images, classes = pictures(packed)[told != HIDDEN], told[told != HIDDEN].long()
    model = aae.Model(like.config)
    initialise(model, stream(0, "weights"))
    optimizer = torch.optim.Adam(model.autoencoder.encoder.parameters(), lr=like.config.lr)
    for step in range(steps):
        rows = torch.randint(len(images), (like.config.batch_size,), generator=stream(0, "rows", step))
        optimizer.zero_grad()
        F.cross_entropy(model.classify(images[rows]), classes[rows]).backward()
        optimizer.step()
    return model.eval()


def pictures(packed: Packed) -> Images:
    """All pictures of a source, in [-1, 1]."""
    return to_float(torch.from_numpy(packed.read(np.arange(len(packed)))).permute(0, 3, 1, 2).contiguous())


def held_out() -> Images:
    """Scenes that nothing was trained on."""
    return pictures(prepare(HELD_OUT, quiet=True))


@torch.no_grad()
def codes_of(model: Game, images: Images) -> Latents:
    """The code of each picture, the mean of its distribution where it has one."""
    assert isinstance(model, Encodes)
    found = model.encode(images)
    return found[0] if isinstance(found, tuple) else found


@torch.no_grad()
def reconstructed(model: Game, images: Images) -> Images:
    """Pictures through the bottleneck and back."""
    assert isinstance(model, HasLatents)
    return model.decode(codes_of(model, images))


def prior_of(model: Game, n: int, seed: int) -> Latents:
    """Draws of the prior."""
    assert isinstance(model, HasLatents)
    return model.latents(n, stream(seed, "prior"))


@torch.no_grad()
def samples(model: Game, n: int) -> Images:
    """Decoded draws of the prior."""
    assert isinstance(model, HasLatents)
    return model.decode(prior_of(model, n, 0))


@torch.no_grad()
def accuracy(model: Game) -> tuple[float, float]:
    """How often a model names the place of grey scenes by day that it never saw, and the binomial standard error."""
    assert isinstance(model, Classifies)
    packed = prepare(HELD_OUT + BY_DAY, channels=1, quiet=True)
    right = model.classify(pictures(packed)).argmax(1) == torch.from_numpy(np.array(packed.labels)).long()
    share = float(right.double().mean())
    return share, (share * (1 - share) / len(right)) ** 0.5


def error(found: Images, wanted: Images) -> float:
    """Mean squared error per number."""
    return float((found - wanted).double().square().mean())


def median_filtered(images: Images) -> Images:
    """The median of every 3x3 neighbourhood, with mirrored borders."""
    height, width = images.shape[2:]
    padded = F.pad(images, (1, 1, 1, 1), mode="reflect")
    moved = [padded[:, :, y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return torch.stack(moved).median(0).values


def projected(images: Images, known: Images, k: int) -> Images:
    """Pictures on the mean and the first ``k`` principal components of known ones."""
    mean = known.flatten(1).mean(0)
    axes = torch.linalg.svd(known.flatten(1) - mean, full_matrices=False).Vh[:k]
    return (mean + (images.flatten(1) - mean) @ axes.T @ axes).view_as(images)


def shrunk(images: Images, known: Images) -> Images:
    """Pictures with noise by the best linear map: each principal component times ``v / (v + sigma^2)`` (Wiener)."""
    mean = known.flatten(1).mean(0)
    _, values, axes = torch.linalg.svd(known.flatten(1) - mean, full_matrices=False)
    variance = values.square() / len(known)
    share = variance / (variance + NOISE**2)
    return (mean + (images.flatten(1) - mean) @ axes.T * share @ axes).view_as(images)


def sliced_distance(one: Latents, other: Latents) -> float:
    """The mean over random directions of the exact W1 between the projections of two equally large sets."""
    directions = torch.randn(one.shape[1], DIRECTIONS, generator=stream(0, "directions"))
    directions = directions / directions.norm(dim=0)
    sorted_ones = [(points @ directions).sort(0).values for points in (one, other)]
    return float((sorted_ones[0] - sorted_ones[1]).abs().mean())


def fine_share(images: Images) -> float:
    """The share of the energy of grey gradients above half of the highest frequency, through a Hann window."""
    grey = images.mean(1).double()
    across, down = grey[:, :-1, 1:] - grey[:, :-1, :-1], grey[:, 1:, :-1] - grey[:, :-1, :-1]
    side = across.shape[1]
    window = torch.hann_window(side, periodic=False, dtype=torch.float64)
    power = sum((_spectrum(part * window[:, None] * window) for part in (across, down)), torch.zeros(side, side))
    frequency = torch.fft.fftfreq(side)
    fine = (frequency[:, None].square() + frequency.square()).sqrt() > 0.25
    return float(power[fine].sum() / power.sum())


def _spectrum(fields: Tensor) -> Tensor:
    return torch.fft.fft2(fields).abs().square().mean(0)


def note(gate: str, code: str, **values: float) -> None:
    """Keeps what was found."""
    history.record(f"gate.autoencoders.{gate}", {"code": code, **values})


if __name__ == "__main__":
    main()
