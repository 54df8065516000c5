"""Makes metric_ais_bounds.svg and metric_ais.png: how bounds close, and what a likelihood does not see.

python docs/figures/metric_ais.py
"""

import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ganvas.data.scenes.scenes import Scenes
from ganvas.metrics.ais import Config, log_likelihood, sandwich
from ganvas.metrics.likelihood.observation_models import Decoder, Gaussian, dequantised
from ganvas.report.drawing.drawing import Drawing, write
from ganvas.report.drawing.panels import Axes, Curve, chart
from ganvas.report.pictures.grid import grid

SIDE, TRAINED, MEASURED, LATENTS = 16, 2000, 8, 16
TEMPERATURES = (20, 50, 100, 200)
HERE = Path(__file__).parent


def main() -> None:
    raw = Scenes(SIDE, SIDE, count=TRAINED + 200, seed=0).pictures(0, TRAINED + 200)[0]
    pictures = torch.from_numpy(raw).permute(0, 3, 1, 2).contiguous()
    colours = dequantised(pictures, torch.Generator().manual_seed(0)).double()
    train, rest = colours[:TRAINED], colours[TRAINED:]
    decoder, variance, blurred = principal_components(train)
    write(bounds(decoder, variance), HERE / "metric_ais_bounds.svg")
    found = log_likelihood(
        decoder, rest[:MEASURED], Gaussian(variance=variance), config=Config(temperatures=150, pilot=40)
    )
    crisp = memory(train, rest[MEASURED:], rest[:MEASURED])
    rows = [
        ("held-out pictures", raw[TRAINED : TRAINED + 10], ""),
        (f"a linear decoder of {LATENTS} latents", blurred, said(float(found.values.mean()))),
        ("training pictures, by heart", raw[:10], said(crisp)),
    ]
    sheet(rows).save(HERE / "metric_ais.png")


def principal_components(train):
    """Probabilistic principal components (Tipping and Bishop 1999): a linear decoder, and pictures that it draws."""
    flat = train.flatten(1)
    mean = flat.mean(0)
    values, vectors = torch.linalg.eigh(flat.T.cov())
    variance = float(values[:-LATENTS].mean())
    weights = vectors[:, -LATENTS:] * (values[-LATENTS:] - variance).sqrt()

    def decode(z):
        return (z @ weights.T + mean).view(-1, *train.shape[1:])

    drawn = decode(torch.randn(10, LATENTS, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
    shown = (drawn.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    return Decoder(decode=decode, latent_size=LATENTS, dtype=torch.float64), variance, shown


def bounds(decoder, variance):
    """Both bounds on its own pictures, less the exact value, which a linear decoder has."""
    lower, upper = [], []
    for temperatures in TEMPERATURES:
        config = Config(temperatures=temperatures, pilot=30)
        noise = Gaussian(variance=variance)
        found = sandwich(decoder, noise, n=8, config=config)
        exact = true_values(decoder, noise, 8)
        lower.append(found.lower.values - exact)
        upper.append(found.upper.values - exact)
    curves = [
        Curve(
            name=name,
            x=TEMPERATURES,
            y=[float(one.mean()) for one in values],
            error=[float(one.std()) / math.sqrt(8) for one in values],
            marks=True,
        )
        for name, values in (("from the posterior, an upper bound", upper), ("from the prior, a lower bound", lower))
    ]
    ends = (TEMPERATURES[0], TEMPERATURES[-1])
    curves.append(Curve(name="exact", x=ends, y=(0, 0), dash=(), colour="#1d2329", stroke_width=0.8))
    axes = Axes(
        x_title="temperatures",
        y_title="nats from the exact value",
        log_x=True,
        x_range=(18, 222),
        x_ticks=[(n, str(n)) for n in TEMPERATURES],
        size=8.5,
    )
    title = "Two bounds of a log-likelihood close from both sides as temperatures are added"
    return Drawing(width=480, height=200, items=chart(curves, (4, 4, 472, 192), axes=axes), title=title)


def true_values(decoder, noise, n):
    from ganvas.core.seeds import stream

    random = stream(0, "ais", "simulated")
    z = torch.randn(n, LATENTS, generator=random, dtype=torch.float64)
    x = noise.draw(decoder.decode(z), random).flatten(1)
    mean = decoder.decode(torch.zeros(1, LATENTS, dtype=torch.float64)).flatten()
    weights = (decoder.decode(torch.eye(LATENTS, dtype=torch.float64)).flatten(1) - mean).T
    covariance = weights @ weights.T + noise.variance * torch.eye(len(mean), dtype=torch.float64)
    return torch.distributions.MultivariateNormal(mean, covariance).log_prob(x)


def memory(train, validation, measured):
    """A model that draws its training pictures and nothing else, with the noise that is best on other pictures."""
    values = {}
    for variance in 2.0 ** np.arange(-12, -1, 0.5):
        values[variance] = float(mixture(train, validation, variance).mean())
    return float(mixture(train, measured, max(values, key=values.get)).mean())


def mixture(train, x, variance):
    squares = torch.cdist(x.flatten(1), train.flatten(1)).square()
    size = x[0].numel()
    return (-squares / (2 * variance)).logsumexp(1) - math.log(len(train)) - size / 2 * math.log(2 * math.pi * variance)


def said(nats):
    size = 3 * SIDE * SIDE
    return f"{nats:,.0f} nats, {8 - nats / size / math.log(2):.2f} bits per dimension"


def sheet(rows):
    """A row of pictures per model, its name and its number behind it."""
    font, strips = ImageFont.load_default(15), []
    for title, pictures, number in rows:
        strip = grid(pictures, columns=10, scale=3)
        canvas = Image.new("RGB", (strip.width + 300, strip.height + 10), "white")
        canvas.paste(strip, (4, 5))
        draw = ImageDraw.Draw(canvas)
        draw.text((strip.width + 20, 10 if number else 20), title, "black", font)
        draw.text((strip.width + 20, 32), number, "#444444", font)
        strips.append(canvas)
    whole = Image.new("RGB", (strips[0].width, sum(strip.height for strip in strips)), "white")
    for index, strip in enumerate(strips):
        whole.paste(strip, (0, index * strip.height))
    return whole


if __name__ == "__main__":
    main()
