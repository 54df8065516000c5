"""Measuring sounds: what a run draws, or a source of them, against real sounds."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.results import Result
from ganvas.core.run_folder import is_run_or_model
from ganvas.tasks.measuring.measured_samples import MeasuredSamples, is_own
from ganvas.tasks.measuring.picture_options import PictureOptions
from ganvas.tasks.measuring.sides import ALL

if TYPE_CHECKING:
    from ganvas.core.sample_sizes.sound_size import SoundSize
    from ganvas.data.sound.packed_sounds import PackedSounds
    from ganvas.features.classifier import OwnClassifier
    from ganvas.metrics.sound.sound_results import SampleRows
    from ganvas.train.trained import Trained

MOST = 1024  # Sounds on each side where the number is left out.


def measured_sounds(
    task: PictureOptions, a: str, b: str | None, *, metrics: tuple[str, ...] | None, kimg: float | None
) -> MeasuredSamples:
    """Measures sounds against real ones.

    Args:
        task: What was asked for; ``features`` is a classifier of sounds.
        a: A run that draws them, or a source.
        b: The real sounds; None is what the run was trained on.
        metrics: Which values, by the first part of their names; None is all.
        kimg: An earlier moment of the run.

    Raises:
        UserError: what is real is not known, or there are too few, or the classifier is none of these sounds.
    """
    from ganvas.metrics.sound.sound_results import MINIMUM
    from ganvas.train.examinations.sound_examination import real_order
    from ganvas.train.trained import load

    path = Path(a).expanduser()
    trained = load(path, kimg=kimg) if is_run_or_model(path) else None
    real = _real_sounds(task, a, b, trained)
    network = None if task.features is None else _classifier(task.features, real.size)
    order = real_order(len(real), seed=task.seed)
    n = task.n or min(MOST, len(real) // 2)
    if n < MINIMUM or n > len(real):
        raise UserError(
            f"{n:,} sounds of each side cannot be measured: at least {MINIMUM} are needed, and there are "
            f"{len(real):,} real ones. Give another -n, or more sounds."
        )
    samples = _samples(task, a, trained, real.size, n)
    compared = real.read(order[:n])
    others = real.read(order[n : 2 * n]) if 2 * n <= len(real) else None
    judge = _judge(compared, real.size, network, seed=task.seed)
    found = [[] if own is None else judge(own) for own in (samples, others)]
    results, floor = (_chosen(one, metrics, with_classifier=network is not None) for one in found)
    return MeasuredSamples(
        against=b or (str(trained.data["spec"]) if trained else ""),
        n=n,
        results=results,
        floor=floor,
        fakes=hashlib.sha256(samples.tobytes()).hexdigest()[:16],
        reals=real.fingerprint,
        trained=trained,
        own=is_own(trained, real.fingerprint),
    )


def _real_sounds(task: PictureOptions, a: str, b: str | None, trained: "Trained | None") -> "PackedSounds":
    from ganvas.data.sound.packed_sounds import prepare_sounds, sound_source
    from ganvas.data.sound.sound_source import usual_size
    from ganvas.tasks.data import parse_sound

    if b is None and trained is None:
        raise UserError(f"{a} is no run, so what is real is not known. Name real sounds: ganvas measure {a} REALS.")
    if trained is not None:
        if task.size:
            raise UserError(f"--size {task.size}: sounds are compared at the rate and length of the run. Leave it out.")
        if b is None:
            return trained.real_sounds(quiet=task.quiet)
        return prepare_sounds(b, trained.sound, broken=task.broken, quiet=task.quiet)
    assert b is not None
    size = parse_sound(task.size) if task.size else usual_size(sound_source(b).survey(quiet=task.quiet))
    return prepare_sounds(b, size, broken=task.broken, quiet=task.quiet)


def _samples(task: PictureOptions, a: str, trained: "Trained | None", size: "SoundSize", n: int) -> "SampleRows":
    """The first sounds of a run's stream, or some of a source."""
    import torch

    from ganvas.data.sound.packed_sounds import prepare_sounds
    from ganvas.train.examinations.sound_examination import real_order

    if trained is not None:
        with torch.no_grad():
            return torch.cat(list(trained.sample_sounds(n, seed=task.seed))).numpy()
    packed = prepare_sounds(a, size, broken=task.broken, quiet=task.quiet)
    if len(packed) < n:
        raise UserError(f"{a} has {len(packed):,} sounds, and {n:,} are measured. Give more, or a smaller -n.")
    return packed.read(real_order(len(packed), seed=task.seed + 1)[:n])


def _classifier(given: str, size: "SoundSize") -> "OwnClassifier":
    """A classifier that was trained on sounds of this rate and length."""
    import torch

    from ganvas.features import classifier

    path = Path(given).expanduser()
    if not path.is_file() or not classifier.is_classifier(path):
        raise UserError(
            f"--features {given}: sounds are looked at by a classifier of your own. `ganvas features train SRC -o "
            "mine.safetensors` makes one of labelled sounds."
        )
    trained_on = classifier.read(path).notes.get("sound")
    if trained_on != {"rate": size.rate, "length": size.length}:
        was = f"sounds of {trained_on['length']}@{trained_on['rate']}" if trained_on else "pictures"
        raise UserError(
            f"--features {given} was trained on {was}, and these are sounds of {size.length}@{size.rate}. Train one: "
            f"ganvas features train SRC --sound {size.length}@{size.rate} -o mine.safetensors."
        )
    return classifier.load(path, device=torch.device("cpu"))


def _judge(
    real: "SampleRows", size: "SoundSize", network: "OwnClassifier | None", *, seed: int
) -> Callable[["SampleRows"], list[Result]]:
    """Measures sounds beside real ones, which are looked at once."""
    from ganvas.metrics.sound.classified_results import SeenSounds, classified_results
    from ganvas.metrics.sound.sound_results import SoundSet, sound_results

    heard = SoundSet.of(real, size)
    seen = None if network is None else SeenSounds.of(real, size, network)

    def judge(samples: "SampleRows") -> list[Result]:
        found = sound_results(SoundSet.of(samples, size), heard, size, seed=seed)
        if network is None or seen is None:
            return found
        return classified_results(SeenSounds.of(samples, size, network), seen, network, seed=seed) + found

    return judge


def _chosen(results: list[Result], metrics: tuple[str, ...] | None, *, with_classifier: bool) -> list[Result]:
    from ganvas.metrics.sound.classified_results import NAMES
    from ganvas.metrics.sound.sound_results import METRICS

    if metrics is None or ALL in metrics:
        return results
    for name in metrics:
        if name in NAMES and not with_classifier:
            raise UserError(f"'{name}' needs a classifier of sounds. Name one with --features mine.safetensors.")
        if name not in (*METRICS, *NAMES):
            raise UserError(
                f"'{name}' is not measured of sounds.{did_you_mean(name, METRICS + NAMES)} "
                f"Known: {', '.join(METRICS + NAMES)}."
            )
    return [one for one in results if one.metric.partition(".")[0] in metrics]
