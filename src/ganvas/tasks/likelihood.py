"""``ganvas likelihood RUN [DATA]``: how probable a model finds pictures, exactly or with bounds that say how sure."""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.tasks.measuring.decoder import decoder_of, has_uniform_prior, own_variance
from ganvas.tasks.measuring.density import OWN_SAMPLES

if TYPE_CHECKING:
    from ganvas.data.packed import Packed
    from ganvas.losses.capabilities import HasDensity, KnowsDensity
    from ganvas.metrics.ais import Config, Estimate, Sandwich
    from ganvas.metrics.likelihood.observation_models import Decoder, Observation
    from ganvas.tasks.measuring.density import Bits
    from ganvas.train.trained import Trained

BUDGETS = {
    "quick": {"temperatures": 200, "pilot": 50},
    "paper": {"temperatures": 10_000, "pilot": 500},
}
MOST = 16  # Pictures where -n is left out.
FLOW_MOST = 64  # The same along a flow.
CHAINS_TO_CHOOSE = 4  # Per picture, where a variance is chosen: all are tried with the same random numbers.
USUALLY_TRIED = 5  # Variances.
LEAST_EFFECTIVE = 8  # Draws that a mean should rest on.
ABOUT_NOISE = (
    "It is the density of an altered model: of what this one draws, with normal noise around it. Another variance is "
    "another model, so values stand beside each other only where their variances do."
)


@dataclass(frozen=True, kw_only=True)
class Likelihood:
    """How probable a model finds pictures: exactly where it knows, else by annealed importance sampling.

    Models that know their likelihood, such as autoregressive/pixelcnn_pp and flows, give bits per dimension beside
    codes that need no learning. The log-likelihood under a generator or decoder with noise around its pictures is
    estimated; one that bounds it, such as vae/vae, gives bits per dimension at most with --samples. Of a flow,
    --variance asks for the estimate all the same, beside the exact density with the same noise. A diffusion model
    bounds its likelihood, and with --flow-steps estimates it along the equation that it draws by. A model of text, such
    as text/mle, gives bits per character or word beside those of n-grams.

    Examples:
      ganvas likelihood runs/x held-out/
      ganvas likelihood runs/x held-out/ --budget paper -n 100
      ganvas likelihood runs/x held-out/ --variance 0.025
      ganvas likelihood runs/x held-out/ --samples 64
      ganvas likelihood runs/flow held-out/ --variance 1e-4
      ganvas likelihood runs/edm held-out/ --flow-steps 64 -n 64
      ganvas likelihood runs/text held-out.txt
    """

    run: tyro.conf.Positional[Path]
    """A run, or one of its model folders."""
    data: tyro.conf.Positional[str | None] = None
    """The pictures, or the lines of text, best such as the run has not seen. Left out: those that the training held
    out (--held-out); of a run without, those that it was trained on, and the table says so."""
    n: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """Pictures to be measured. Left out: as many as there are, 16 at most; 4,096 where the likelihood is known."""
    budget: Literal["quick", "paper"] = "quick"
    """quick: 200 temperatures. paper: 10,000, fifty times the time and a tighter bound."""
    temperatures: int | None = None
    """Temperatures between prior and posterior, in the place of the budget's."""
    chains: int = 16
    """Chains per picture."""
    observation: Literal["gaussian", "bernoulli"] = "gaussian"
    """Noise around the decoder's picture: normal, or each pixel black or white with the decoder's probability."""
    samples: int | None = None
    """Of a model that bounds its likelihood, as a VAE does: the bound by so many latents per picture, in the place of
    the estimate. Of a flow: draws of the noise that fills the bins of colours. The more, the tighter."""
    flow_steps: int | None = None
    """Of a diffusion model: its density along the equation from sample to noise, in so many steps of Heun, in the place
    of the bound. 64 pictures where -n is left out: each costs as much as six drawn in as many steps."""
    variance: str = "auto"
    """Of the normal noise, for colours in [0, 1]: a number; validation: the best on other pictures; or auto: the
    model's own where it has learnt one, else validation."""
    validation: int = 8
    """Pictures to choose the variance on, apart from those that are measured."""
    simulated: int = 8
    """Pictures of the model's own, on which the bounds from both sides are found; 0 for no certificate."""
    label: str | None = None
    """The class of the pictures, for a model that draws given classes."""
    fit: Literal["refuse", "crop", "pad", "stretch"] | None = None
    """What to do with pictures of another shape, or smaller; as in the training where left out."""
    kimg: float | None = None
    """An earlier moment that the run keeps; the last one where left out."""
    seed: int = 0
    """Chooses pictures and all random numbers."""
    rows: int | None = None
    """Chains that go through the decoder at a time; as many as fit into memory where left out."""
    device: str = "auto"
    """Where to compute: cpu, cuda, or auto."""
    quiet: bool = False
    """No progress."""


@dataclass(frozen=True, kw_only=True)
class LikelihoodResult:
    """What was found, with everything needed to trust it."""

    run: str
    data: str
    kimg: float
    model: str  # Fingerprint of the weights.
    n: int
    seed: int
    seconds: float
    passes: int  # Of one row through the decoder and back; of one picture where nothing was estimated.
    results: list[Result]
    log_likelihoods: list[float]  # Of every picture, in nats.
    effective_chains: float | None = None  # Mean over pictures; None where nothing was estimated.
    acceptance: float | None = None  # Mean probability of a proposal.
    variance: float | None = None  # None for black and white.
    variance_from: str = ""  # "given", "model", "validation" or "".
    dependence: str = ""  # On the variance: "weak" or "strong"; empty where it was not tried.
    tried: dict[str, float] = field(default_factory=dict)  # Mean nats on validation pictures, by variance.
    notes: list[str] = field(default_factory=list)
    written: str | None = None  # The measures.jsonl to which a line was added.


@dataclass(frozen=True, kw_only=True)
class _Noise:
    """The noise around the decoder's pictures, and where it is from."""

    observation: "Observation"
    source: str = ""
    dependence: str = ""
    tried: dict[str, float] = field(default_factory=dict)
    note: str = ""


def likelihood(task: Likelihood) -> LikelihoodResult:
    """Asks a model that knows, or estimates; keeps the result in the run."""
    started = time.monotonic()
    config = _config(task)
    trained = _load(task)
    if trained.draws_points:
        raise UserError(
            f"{trained.name} draws points, and likelihoods here are of pictures. Of a model that knows its density, "
            "such as flow/spline, measures.jsonl of the run has nats and kl of fresh draws of a known law."
        )
    if trained.unit == "lines":
        return _of_lines(task, trained, started)
    known = _knowing(task, trained)
    return _estimated(task, trained, config, started) if known is None else _known(task, trained, known, started)


def _knowing(task: Likelihood, trained: "Trained") -> "HasDensity | None":
    """The model where it says its likelihood itself: exactly, or as the bound that was asked for."""
    from ganvas.losses.capabilities import BoundsDensity, HasDensity
    from ganvas.losses.likelihoods.dequantised_density import DequantisedDensity
    from ganvas.losses.likelihoods.importance_bound import ImportanceBound
    from ganvas.metrics.likelihood.density import levels_of

    model = trained.model
    if task.flow_steps is not None:
        return _along_flow(task, trained)
    if _held_against_exact(task, trained):
        return None
    if _is_flow(trained) and task.samples is not None:
        assert isinstance(model, HasDensity)
        return DequantisedDensity(model=_flow(trained), samples=task.samples, levels=levels_of(model))
    if task.samples is None:  # A bound alone is what annealing is to judge.
        return model if isinstance(model, HasDensity) and not isinstance(model, BoundsDensity) else None
    if not isinstance(model, BoundsDensity):
        raise UserError(f"--samples {task.samples}: {trained.name} has no bound that samples tighten. Leave it out.")
    return ImportanceBound(model=model, samples=task.samples)


def _along_flow(task: Likelihood, trained: "Trained") -> "HasDensity":
    """The model as one that estimates its likelihood along its equation."""
    from ganvas.losses.diffusion.flow_density import FlowDensity, FollowsFlow

    assert task.flow_steps is not None
    if not isinstance(trained.model, FollowsFlow):
        raise UserError(
            f"--flow-steps {task.flow_steps}: {trained.name} carries no sample to noise along an equation. Leave it "
            "out, or train diffusion/edm or diffusion/flow_matching."
        )
    if task.samples is not None:
        raise UserError("--samples and --flow-steps ask for two different numbers. Give one of them.")
    return FlowDensity(model=trained.model, steps=task.flow_steps)


def _is_flow(trained: "Trained") -> bool:
    """Whether its density of pictures is known exactly."""
    from ganvas.losses.capabilities import HasDensity, KnowsDensity

    return isinstance(trained.model, KnowsDensity) and isinstance(trained.model, HasDensity)


def _flow(trained: "Trained") -> "KnowsDensity":
    from ganvas.losses.capabilities import KnowsDensity

    return trained.require(KnowsDensity)


def _held_against_exact(task: Likelihood, trained: "Trained") -> bool:
    """Whether an estimate is asked for of a model that knows better: a variance of the noise was given."""
    if not _is_flow(trained) or task.variance == "auto" or task.observation != "gaussian":
        return False
    if task.samples is not None or _wanted(task, trained) != "given":
        raise UserError(
            f"--variance {task.variance}: {trained.name} knows its density. Give a number, such as 1e-4, to hold the "
            "estimate against it, without --samples; or leave --variance out."
        )
    return True


def _known(task: Likelihood, trained: "Trained", model: "HasDensity", started: float) -> LikelihoodResult:
    """Bits per dimension as the model itself gives them."""
    from ganvas.tasks.measuring.density import bits_of

    _refuse_what_estimates_take(task, trained)
    packed = _packed(task, trained)
    n = min(FLOW_MOST, len(packed)) if task.n is None and task.flow_steps is not None else task.n
    return _kept(task, trained, bits_of(trained, model, packed, n=n, seed=task.seed, quiet=task.quiet), started)


def _of_lines(task: Likelihood, trained: "Trained", started: float) -> LikelihoodResult:
    """Bits per character or word of lines of text."""
    from ganvas.tasks.measuring.text_density import bits_of_lines

    _refuse_what_estimates_take(task, trained, "samples", "flow_steps", "fit")
    found = bits_of_lines(trained, _source(task, trained), n=task.n, seed=task.seed, quiet=task.quiet)
    return _kept(task, trained, found, started)


def _refuse_what_estimates_take(task: Likelihood, trained: "Trained", *more: str) -> None:
    meant_for_estimates = ("budget", "temperatures", "observation", "variance", "label", "rows", *more)
    given = [name for name in meant_for_estimates if getattr(task, name) != getattr(Likelihood, name)]
    if given:
        option = given[0].replace("_", "-")
        raise UserError(f"--{option}: {trained.name} knows its likelihood, so nothing is estimated. Leave it out.")


def _kept(task: Likelihood, trained: "Trained", found: "Bits", started: float) -> LikelihoodResult:
    """What a model says itself, as a line of the run."""
    result = LikelihoodResult(
        run=str(task.run),
        data=_source(task, trained),
        kimg=trained.kimg,
        model=trained.fingerprint,
        n=len(found.log_likelihoods),
        seed=task.seed,
        seconds=time.monotonic() - started,
        passes=len(found.log_likelihoods),
        results=found.results,
        log_likelihoods=found.log_likelihoods,
        notes=found.notes,
    )
    return _keep(result, trained)


def _estimated(task: Likelihood, trained: "Trained", config: "Config", started: float) -> LikelihoodResult:
    """Chooses the variance, measures, and finds the gap on simulated pictures."""
    from ganvas.core.progress import progress
    from ganvas.metrics import ais

    decoder = decoder_of(trained, label=task.label)
    choose = task.observation == "gaussian" and _wanted(task, trained) == "validation"
    packed = _packed(task, trained)
    pictures, apart = _pictures(task, trained, packed, task.validation if choose else 0)
    noise = _noise(task, trained, decoder, apart, config)
    passes = config.passes(len(pictures)) + config.passes(task.simulated, runs=2)
    _announce(task, decoder, pictures, noise.observation, config, passes)
    how: dict[str, Any] = {"config": config, "seed": task.seed, "rows": task.rows}
    simulated = None
    with progress("likelihood", passes, unit="passes", quiet=task.quiet) as report:
        how["tick"] = _counter(report, passes)
        found = ais.log_likelihood(decoder, pictures, noise.observation, **how)
        if task.simulated:
            simulated = ais.sandwich(decoder, noise.observation, n=task.simulated, **how)
    trained_on = trained.was_trained_on(packed)
    protocol = _protocol(task, trained, pictures, noise, config, trained_on=trained_on)
    results = ais.results(
        found,
        noise.observation,
        dimensions=pictures[0].numel(),
        simulated=simulated,
        protocol=protocol,
        seed=task.seed,
    )
    beside, more = _exactly(task, trained, pictures, found, protocol)
    results += beside
    result = LikelihoodResult(
        run=str(task.run),
        data=_source(task, trained),
        kimg=trained.kimg,
        model=trained.fingerprint,
        n=len(pictures),
        seed=task.seed,
        seconds=time.monotonic() - started,
        passes=passes,
        results=results,
        log_likelihoods=found.values.tolist(),
        effective_chains=float(found.effective.mean()),
        acceptance=float(found.acceptance.mean()),
        variance=getattr(noise.observation, "variance", None),
        variance_from=noise.source,
        dependence=noise.dependence,
        tried=noise.tried,
        notes=[OWN_SAMPLES] * trained_on + _notes(task, noise, results, found, simulated) + more,
    )
    return _keep(result, trained)


def _exactly(
    task: Likelihood, trained: "Trained", pictures: Any, found: "Estimate", protocol: str
) -> tuple[list[Result], list[str]]:
    """The exact density with the same noise, of a flow, and what is to be said of it."""
    from ganvas.losses.games.flow_game import PictureFlowGame
    from ganvas.metrics import ais
    from ganvas.metrics.likelihood.smoothed_density import DRAWS, EVERYWHERE, shortfall_results, smoothed_log_density

    if not _held_against_exact(task, trained):
        return [], []
    reach = trained.model.reach if isinstance(trained.model, PictureFlowGame) else EVERYWHERE
    how: dict[str, Any] = {"seed": task.seed, "device": trained.device, "reach": reach}
    exact = smoothed_log_density(_flow(trained).log_density, pictures, float(task.variance), **how)
    lost = int((~exact.values.isfinite()).sum())
    if lost:
        return [], [f"The exact density of {lost} of these pictures is no number, so no estimate is held against it."]
    results = shortfall_results(found.values, exact, draws=DRAWS, protocol=protocol, seed=task.seed, metric=ais.NAME)
    least = float(exact.effective.min())
    notes = [
        f"The exact density with noise is a mean over {DRAWS} draws, of which {least:.0f} or more share the weight."
    ]
    if least < LEAST_EFFECTIVE:
        notes[0] += " With so few it is a lower bound too; a smaller --variance makes it sure."
    return results, notes


def _config(task: Likelihood) -> "Config":
    from ganvas.metrics.ais import MINIMUM, Config

    for name, least in (("simulated", 0), ("validation", 2), ("rows", 1), ("samples", 1), ("flow_steps", 1)):
        value = getattr(task, name)
        if value is not None and value < least:
            raise UserError(f"--{name.replace('_', '-')} {value} must be at least {least}.")
    if task.simulated == 1:
        raise UserError("--simulated 1: one picture has no error. Take 0, or at least 2.")
    if task.n is not None and task.n < MINIMUM:
        raise UserError(f"-n {task.n}: the number of pictures must be at least {MINIMUM}.")
    settings = BUDGETS[task.budget]
    if task.temperatures is not None:
        settings = {"temperatures": task.temperatures, "pilot": min(settings["pilot"], max(task.temperatures, 2))}
    return Config(**settings, chains=task.chains)


def _load(task: Likelihood) -> "Trained":
    from ganvas.tasks.train import pick_device
    from ganvas.train.trained import load

    return load(task.run.expanduser(), kimg=task.kimg, device=pick_device(task.device))


def _pictures(task: Likelihood, trained: "Trained", packed: "Packed", apart: int) -> tuple[Any, Any]:
    """Pictures to be measured and, apart from them, to choose the variance on, in the units of the density."""
    import numpy as np
    import torch

    from ganvas.core.seeds import stream
    from ganvas.metrics.likelihood.observation_models import binarised, dequantised
    from ganvas.metrics.measuring import draws

    rows = np.arange(len(packed))
    known = packed.labels is not None and packed.class_names == trained.class_names
    if task.label is not None and task.data is None and known:
        wanted = trained.labels(1, seed=0, label=task.label)
        assert wanted is not None
        rows = rows[packed.labels == int(wanted[0])]
    n = min(MOST, len(rows) - apart) if task.n is None else task.n
    if n < 2 or len(rows) < n + apart:
        besides = f" and {apart} besides to choose the variance on" if apart else ""
        raise UserError(
            f"{_source(task, trained)} has {len(rows)} pictures{' of that class' if len(rows) < len(packed) else ''}, "
            f"and {max(n, 2)} are to be measured{besides}. Ask for fewer, or give the variance (--variance)."
        )
    order = draws.order(len(rows), seed=task.seed)[: n + apart].numpy()
    drawn = torch.from_numpy(packed.read(rows[order])).permute(0, 3, 1, 2).contiguous()
    noise = stream(task.seed, "ais", "dequantise")
    made = binarised(drawn) if task.observation == "bernoulli" else dequantised(drawn, noise)
    return made[:n], made[n:]


def _packed(task: Likelihood, trained: "Trained") -> "Packed":
    source = _source(task, trained)
    if task.data is None and source == trained.data["spec"]:
        return trained.reals(quiet=task.quiet)
    return trained.prepared(source, fit=task.fit, quiet=task.quiet)


def _source(task: Likelihood, trained: "Trained") -> str:
    """What was given; else what the training held out; else what it was trained on."""
    held_out = trained.data.get("held_out") or {}
    return task.data or str(held_out.get("spec") or trained.data["spec"])


def _wanted(task: Likelihood, trained: "Trained") -> str:
    """``validation``, ``model``, or ``given``."""
    if task.variance == "auto":
        return "validation" if own_variance(trained) is None else "model"
    if task.variance == "validation":
        return "validation"
    from ganvas.core.config import coerce

    if coerce(task.variance, float, "variance") <= 0:
        raise UserError(f"--variance {task.variance} must be above 0, or one of: auto, validation.")
    return "given"


def _noise(task: Likelihood, trained: "Trained", decoder: "Decoder", apart: Any, config: "Config") -> _Noise:
    from ganvas.metrics.likelihood.observation_models import Bernoulli, Gaussian

    if task.observation == "bernoulli":
        return _Noise(observation=Bernoulli())
    source = _wanted(task, trained)
    if source == "validation":
        return _validated(task, decoder, apart, config, start=own_variance(trained))
    variance = own_variance(trained) if source == "model" else float(task.variance)
    assert variance is not None
    return _Noise(observation=Gaussian(variance=variance), source=source)


def _validated(task: Likelihood, decoder: "Decoder", apart: Any, config: "Config", *, start: float | None) -> _Noise:
    """The best variance on pictures apart, found with the quick budget at most."""
    from ganvas.core.progress import progress
    from ganvas.metrics.likelihood.ais_variance import START, choose_variance
    from ganvas.metrics.likelihood.observation_models import Gaussian

    quick = BUDGETS["quick"]
    least = {name: min(getattr(config, name), quick[name]) for name in quick}
    short = dataclasses.replace(config, **least, chains=min(config.chains, CHAINS_TO_CHOOSE))
    passes = USUALLY_TRIED * short.passes(len(apart))
    _say_cost(task, decoder, apart, Gaussian(variance=START), short, passes, what="the choice of the variance")
    with progress("variance", passes, unit="passes", quiet=task.quiet) as report:
        how: dict[str, Any] = {"config": short, "seed": task.seed, "rows": task.rows, "tick": _counter(report, passes)}
        choice = choose_variance(decoder, apart, start=start or START, **how)
        report(passes)
    words = [
        f"{loss:.3g} ± {error:.2g} nats at {word}"
        for word, (loss, error) in (("half of it", choice.halved), ("twice of it", choice.doubled))
    ]
    return _Noise(
        observation=Gaussian(variance=choice.variance),
        source="validation",
        dependence=choice.dependence,
        tried={f"{variance:g}": value for variance, value in choice.tried.items()},
        note=f"The value depends {choice.dependence}ly on the variance: pictures lose {' and '.join(words)}.",
    )


def _announce(
    task: Likelihood, decoder: "Decoder", pictures: Any, observation: "Observation", config: "Config", passes: int
) -> None:
    what = f"{len(pictures)} pictures"
    what += f" and {task.simulated} simulated ones, there and back," if task.simulated else ""
    what += f" with {config.chains} chains and {config.temperatures:,} temperatures"
    _say_cost(task, decoder, pictures, observation, config, passes, what=what)


def _say_cost(
    task: Likelihood,
    decoder: "Decoder",
    pictures: Any,
    observation: "Observation",
    config: "Config",
    passes: int,
    *,
    what: str,
) -> None:
    """What is to come, timed on two rounds of chains (a pass is one row through the decoder and back)."""
    from ganvas.core.progress import duration, say
    from ganvas.metrics.likelihood.observation_models import timed

    if task.quiet:
        return
    seconds = timed(decoder, pictures, observation, chains=config.chains, rows=task.rows)
    say(f"{what}: {passes:,} passes through the decoder and back, about {duration(passes * seconds)} on this machine.")


def _counter(report: Callable[..., None], total: int) -> Callable[[int], None]:
    done = 0

    def tick(passes: int) -> None:
        nonlocal done
        done += passes
        report(min(done, total))  # A variance may take longer to find than it usually does.

    return tick


def _protocol(
    task: Likelihood, trained: "Trained", pictures: Any, noise: _Noise, config: "Config", *, trained_on: bool
) -> str:
    import hashlib

    n, channels, height, width = pictures.shape
    kind = f"gaussian-{noise.source}" if task.observation == "gaussian" else "bernoulli"
    kind += f"{float(task.variance):g}" if noise.source == "given" else ""
    colours = "binarised128" if task.observation == "bernoulli" else "dequantised256"
    parts = [
        f"ais:n{n}:{height}x{width}x{channels}:{colours}:{kind}:chains{config.chains}",
        f"temperatures{config.temperatures}:rad{config.rad:g}:hmc{config.leapfrog_steps}:pilot{config.pilot}",
        f"accept{config.acceptance:g}:prior-{'uniform' if has_uniform_prior(trained) else 'normal'}",
        *([f"label={task.label}"] if task.label is not None else []),
        f"{'training' if trained_on else 'ref'}={hashlib.sha256(pictures.numpy().tobytes()).hexdigest()[:16]}",
    ]
    return ":".join(parts)


def _notes(
    task: Likelihood, noise: _Noise, results: list[Result], found: "Estimate", simulated: "Sandwich | None"
) -> list[str]:
    """What a reader of the numbers must know."""
    notes = [noise.note] if noise.note else []
    if noise.source != "model" and task.observation == "gaussian":
        notes.append(ABOUT_NOISE)
    if noise.source == "given":
        notes.append("The variance was given; how much the value depends on it was not tried.")
    by_name = {result.metric: result for result in results}
    if simulated is not None and by_name["ais.gap"].value > (by_name["ais"].standard_error or 0):
        notes.append(
            f"On pictures of the model's own the bounds are {by_name['ais.gap'].value:.3g} nats apart, more than the "
            "standard error: the value may be as much too low. More temperatures bring them together."
        )
    if float(found.acceptance.min()) < 0.3:
        notes.append(
            f"Chains of one picture moved on {float(found.acceptance.min()):.0%} of their steps only; its value is low."
        )
    return notes


def _keep(result: LikelihoodResult, trained: "Trained") -> LikelihoodResult:
    """Adds a line to the run's measures.jsonl, where the model lies in a run."""
    from ganvas.tasks.measuring import run_lines

    written = run_lines.add(Path(result.run), result, nimg=trained.nimg, source="likelihood")
    return dataclasses.replace(result, written=written)
