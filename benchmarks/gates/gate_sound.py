"""The gate of sounds: what WaveGAN and SpecGAN learn in minutes, beside floors and wrong twins.

``specgan``: spoken digits as spectrograms of 32 x 64. A classifier of digits, right on 9 of 10 that it has not seen,
must find an inception score at least half of the way from 1 to that of real digits (its smoothed labels keep even those
far from 10), and fewer than 6 of 10 bins of its features with another share than real digits; the untrained network and
a twin whose spectrograms are cut at one deviation in the place of three must do worse. ``wavegan``: struck notes that
die away at one known rate. Spectra must come nearer than half of what they are before training, and sounds must die
away within a third of that rate. How loud sounds are, and how strong what is between the notes' frequencies is, stands
beside the distance: decibels of an average spectrum count noise that is far below the sounds, and less where all is
quiet, as before training. ``noise`` says what such a distance asks for, without any model: that of real notes under
white noise, and of soft noise alone; the first must grow with the noise.

Beside it stands the twin without phase shuffle. Its critic may know drawn sounds by the phase of what strides leave:
of how much of the way from drawn to real sounds it is deceived when drawn ones are shifted by a sample, and how far its
verdicts of real ones change, in their deviations. Artefacts are recorded.

``gansynth``: the built-in notes, with their pitches as classes. Of 8 of 10 notes the pitch that is asked for must be
found, by the power at its harmonics, and at the loudest bin of a note the frequency may be 0.02 half turns off its
median. The untrained network must be no better than chance, and a twin that sees phases in the place of frequencies
less steady.

``OMP_NUM_THREADS=1 GANVAS_TEST_DATA=... python -m benchmarks.gates.gate_sound [specgan] [wavegan] [gansynth] [noise]``;
about 8 minutes of one processor core each of the first three. Without the data the first is passed over, and said.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from benchmarks.gates.preset_run import finished_run, run_parts, runs_of

from benchmarks import history
from ganvas.core.results import Result
from ganvas.core.waves import to_waves
from ganvas.data.sound.notes import PITCH_NAMES, Notes, frequency_of
from ganvas.data.sound.riff import write_wav
from ganvas.losses.games.sound_game import SoundGame
from ganvas.metrics.sound import artefacts
from ganvas.nn.sound import frequency_spectrogram, log_spectrogram
from ganvas.nn.sound.frequency_spectrogram import FrequencySpectrogram
from ganvas.tasks.catalogues import features
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.train import Train
from ganvas.train.trained import Trained, load

DIGITS = "spoken-digits.tar.xz"
SPECGAN = ("rate=4000", "length=2048", "width=16", "batch_size=32", "lr=4e-4", "critic_moves=2")
WAVEGAN = ("rate=8000", "length=1024", "width=8", "latent_size=32", "batch_size=16", "lr=2e-3", "beta1=0")
WAVEGAN += ("critic_moves=1", "average_decay=0.99")
QUIETLY = ("measure_kimg=-1", "health_kimg=-1", "sample_kimg=1000")
DECAY_SECONDS = 0.02  # Of the struck notes: in which they fall to 1/e.
NOTES_HZ = (200.0, 1100.0)  # Where they are, 300 to 900 Hz, with what their decay makes wider.
NOTE_RATE, NOTE_LENGTH, NOTE_BINS, NOTES_KIMG = 2000, 1024, 128, 12.0
NOTES = f"notes:12000,{NOTE_LENGTH}@{NOTE_RATE}"
GANSYNTH = (f"rate={NOTE_RATE}", f"length={NOTE_LENGTH}", "train_kimg=0.5", "fade_kimg=0.5")
HIT, STEADY, CHANCE = 0.8, 0.02, 1 / 12  # Pitches that are found, half turns, and pitches that are guessed.
NOISE_LEVELS = (20, 30, 40, 50)  # Decibels below real notes.
UNTRAINED_KIMG = 0.032
PITCHED = 512  # Notes whose pitch is found.
Values = dict[str, Result]


def main() -> None:
    """Runs the parts that are named, all where none is, and ends with an error where one misses."""
    run_parts({"specgan": specgan, "wavegan": wavegan, "gansynth": gansynth, "noise": noise}, __doc__)


def specgan() -> list[str]:
    """Spoken digits; returns what is missed."""
    data = Path(os.environ.get("GANVAS_TEST_DATA", "")) / DIGITS
    if not data.is_file():
        sys.stdout.write(f"gate_sound.specgan is passed over: {DIGITS} is not in GANVAS_TEST_DATA.\n")
        return []
    started = time.process_time()
    with runs_of("gate_sound.specgan") as folder:
        seen = folder / "digits.safetensors"
        seen.unlink(missing_ok=True)
        asked = features.Train(source=str(data), out=seen, sound="2048@4000", epochs=10, width=8)
        accuracy = features.train(asked, quiet=True).accuracy
        found, floor = measured(begun("sound/specgan", data, folder / "run", SPECGAN, kimg=48), seen)
        untrained, _ = measured(begun("sound/specgan", data, folder / "none", SPECGAN, kimg=UNTRAINED_KIMG), seen)
        with cut_at(1.0):
            twin, _ = measured(begun("sound/specgan", data, folder / "twin", SPECGAN, kimg=48), seen)
    rows = {"trained": found, "real": floor, "untrained": untrained, "cut at one deviation": twin}
    for name, values in rows.items():
        history.record(f"gate_sound.specgan.{name}", told(values))
    history.record(
        "gate_sound.specgan", {"accuracy": accuracy, "cpu_sec": round(time.process_time() - started, 1), "threads": 1}
    )
    score, bins = found["inception_score"].value, found["ndb_of_features"].value
    half_way = 1 + (floor["inception_score"].value - 1) / 2
    wrong = {
        f"the classifier is right in {accuracy:.3f}, not .9": accuracy < 0.9,
        f"inception score {score:.2f} is below {half_way:.2f}": score < half_way,
        f"ndb {bins:.2f} is not below .6": bins >= 0.6,
        "the untrained network does as well": untrained["inception_score"].value >= score,
        "the twin does as well": twin["frechet_distance"].value <= found["frechet_distance"].value,
    }
    return [miss for miss, holds in wrong.items() if holds]


def wavegan() -> list[str]:
    """Struck notes; returns what is missed."""
    started, found, steps = time.process_time(), {}, {}
    with runs_of("gate_sound.wavegan") as folder:
        struck(folder / "hits")
        for name, change, kimg in (
            ("trained", "phase_shuffle=2", 90),
            ("no phase shuffle", "phase_shuffle=0", 90),
            ("untrained", "phase_shuffle=2", UNTRAINED_KIMG),
        ):
            run = begun(
                "sound/wavegan", folder / "hits", folder / name.replace(" ", "_"), (*WAVEGAN, change), kimg=kimg
            )
            found[name], found["real"] = measured(run)
            trained = load(run)
            drawn, real = some_drawn(trained), some_real(trained)
            steps[name], of_reals = seen_of_a_sample(trained, drawn, real)
            decay = decay_of(drawn.numpy())
            seen = {"deceived_by_one_sample": steps[name], "verdict_of_one_sample": of_reals, "decay_sec": decay}
            history.record(f"gate_sound.wavegan.{name}", told(found[name]) | seen | loudness(drawn))
            if name == "trained":
                trained_decay = decay
        notes = some_real(trained)
    history.record("gate_sound.wavegan.real", told(found["real"]) | {"decay_sec": DECAY_SECONDS} | loudness(notes))
    history.record("gate_sound.wavegan", {"cpu_sec": round(time.process_time() - started, 1), "threads": 1})
    ours, before = (found[name]["spectrum_distance"].value for name in ("trained", "untrained"))
    wrong = {
        f"spectra are {ours:.1f} dB away, and {before:.1f} dB before training": ours >= before / 2,
        f"sounds die away in {trained_decay:.3f} s, not in {DECAY_SECONDS} s": not 2 / 3
        < trained_decay / DECAY_SECONDS
        < 4 / 3,
        f"a sample deceives a critic without phase shuffle no more: {steps}": steps["no phase shuffle"]
        <= steps["trained"],
    }
    return [miss for miss, holds in wrong.items() if holds]


def gansynth() -> list[str]:
    """Notes of given pitch; returns what is missed."""
    started, found = time.process_time(), {}
    with runs_of("gate_sound.gansynth") as folder:
        trained = of_notes(folder / "run", NOTES_KIMG)
        found["trained"] = {**told(measured(trained)[0]), **heard(load(trained))}
        found["untrained"] = heard(load(sorted((trained / "model").iterdir())[0]))
        with phases_seen():
            found["phases"] = heard(load(of_notes(folder / "twin", NOTES_KIMG)))
        found["real"] = told(measured(trained)[1])
    notes, pitches = Notes(length=NOTE_LENGTH, rate=NOTE_RATE, seed=1).select(np.arange(PITCHED))
    found["real"] |= as_asked(notes / 32768, pitches)
    for name, values in found.items():
        history.record(f"gate_sound.gansynth.{name}", values)
    history.record("gate_sound.gansynth", {"cpu_sec": round(time.process_time() - started, 1), "threads": 1})
    ours, wrong = found["trained"], found["phases"]
    missed = {
        f"the pitch of {ours['pitch']:.3f} notes is found, not of {HIT}": ours["pitch"] < HIT,
        f"frequencies are {ours['unsteady']:.3f} off, not {STEADY}": ours["unsteady"] > STEADY,
        f"the untrained network hits {found['untrained']['pitch']:.3f}": found["untrained"]["pitch"] > 2 * CHANCE,
        f"with phases they are {wrong['unsteady']:.3f} off": wrong["unsteady"] <= ours["unsteady"],
    }
    return [miss for miss, holds in missed.items() if holds]


def noise() -> list[str]:
    """Notes under noise; returns what is missed."""
    random, powers = np.random.default_rng(0), artefacts.average_powers(struck_notes(256, seed=1))
    notes = struck_notes(256, seed=2)
    white = random.normal(size=notes.shape)
    far = lambda waves: artefacts.spectrum_distance(artefacts.average_powers(waves), powers)  # noqa: E731
    under = [far(notes + notes.std() * 10 ** (-below / 20) * white) for below in NOISE_LEVELS]
    found = {f"under_noise_{below}db": one for below, one in zip(NOISE_LEVELS, under, strict=True)}
    history.record("gate_sound.noise", {"notes": far(notes), **found, "noise_alone_60db": far(1e-3 * white)})
    return [] if under == sorted(under, reverse=True) and far(notes) < under[-1] else [f"noise: {found}"]


def begun(model: str, data: Path, out: Path, changes: tuple[str, ...], *, kimg: float) -> Path:
    """A run to its end."""
    return finished_run(
        Train(model=model, data=str(data), out=out, seed=1, kimg=kimg, set=(*changes, *QUIETLY), quiet=True)
    )


def of_notes(out: Path, kimg: float) -> Path:
    """A run of the small preset of GANSynth to its end, with pitches."""
    return finished_run(
        Train(
            model="sound/gansynth",
            data=NOTES,
            out=out,
            seed=1,
            preset="small",
            kimg=kimg,
            conditional=True,
            set=(*GANSYNTH, *QUIETLY, "keep_last=100"),
            quiet=True,
        )
    )


@contextmanager
def phases_seen() -> Iterator[None]:
    """While inside, pictures show phases where they show by how much these turn."""
    turns = lambda phases: phases / np.pi  # noqa: E731
    back = lambda pictures: pictures * np.pi  # noqa: E731
    with mock.patch.multiple(frequency_spectrogram, frequencies=turns, phases=back):
        yield


def heard(trained: Trained) -> dict[str, float]:
    """What is heard in drawn notes of every pitch."""
    labels = trained.labels(PITCHED, seed=1, label=None)
    assert labels is not None
    return as_asked(to_waves(torch.cat(list(trained.sample_sounds(PITCHED, seed=1)))).numpy(), labels.numpy())


def as_asked(waves: np.ndarray, pitches: np.ndarray) -> dict[str, float]:
    """The share of notes whose pitch is that which was asked for, and how unsteady they are."""
    return {"pitch": float((pitches_of(waves) == pitches).mean()), "unsteady": unsteadiness(waves)}


def pitches_of(waves: np.ndarray) -> np.ndarray:
    """Of the twelve pitches that which has most power at its first three harmonics."""
    seconds, window = np.arange(waves.shape[1]) / NOTE_RATE, np.hanning(waves.shape[1])
    of_notes = [frequency_of(place) * np.arange(1, 4) for place in range(len(PITCH_NAMES))]
    turning = np.exp(-2j * np.pi * seconds[:, None] * np.concatenate(of_notes))
    power = np.abs((waves * window) @ turning) ** 2
    return power.reshape(len(waves), len(PITCH_NAMES), -1).sum(2).argmax(1)


def unsteadiness(waves: np.ndarray) -> float:
    """By how many half turns the frequency at a note's loudest bin is off its median: the median over notes.

    It is taken where the note is heard, from the fourth frame to the tenth of sixteen.
    """
    pictures = FrequencySpectrogram(NOTE_BINS)(torch.from_numpy(waves).float())
    loudest = pictures[:, 0].mean(1).argmax(1)
    tracks = pictures[torch.arange(len(waves)), 1, :, loudest][:, 3:10] / frequency_spectrogram.FREQUENCY_SHARE
    off = tracks - tracks.median(1, keepdim=True).values
    return float((off - 2 * torch.round(off / 2)).abs().mean(1).median())


def measured(run: Path, seen: Path | None = None) -> tuple[Values, Values]:
    """The values of a run, and those of real sounds in its place."""
    found = measure(Measure(a=str(run), n=512, features=None if seen is None else str(seen), quiet=True))
    return {one.metric: one for one in found.results}, {one.metric: one for one in found.floor}


def told(values: Values) -> dict[str, float]:
    """The numbers alone."""
    return {name: round(one.value, 4) for name, one in values.items()}


@contextmanager
def cut_at(deviations: float) -> Iterator[None]:
    """While inside, spectrograms are cut at other deviations."""
    before = log_spectrogram.CLIP
    try:
        log_spectrogram.CLIP = deviations
        yield
    finally:
        log_spectrogram.CLIP = before


def struck(folder: Path) -> None:
    """Wave files of struck notes."""
    folder.mkdir(exist_ok=True)
    for number, wave in enumerate(struck_notes(1200, seed=0)):
        write_wav(folder / f"{number:04d}.wav", wave, 8000)


def struck_notes(count: int, *, seed: int) -> np.ndarray:
    """Notes of 300 to 900 Hz that begin within the first tenth and die away at one rate."""
    random, time_sec, notes = np.random.default_rng(seed), np.arange(1024) / 8000, []
    for _ in range(count):
        begins, frequency = random.uniform(0, 0.0128), random.uniform(300, 900)
        since = np.maximum(time_sec - begins, 0)
        wave = np.sin(2 * np.pi * frequency * since) * np.exp(-since / DECAY_SECONDS)
        notes.append(0.9 * wave / np.abs(wave).max())
    return np.stack(notes)


def decay_of(samples: np.ndarray) -> float:
    """The seconds in which the mean power of sounds falls to 1/e^2, by a line through its logarithm after the start."""
    power = (samples.astype(np.float64) ** 2).mean(0).reshape(-1, 64).mean(1)[3:9]
    slope = np.polyfit(np.arange(len(power)) * 64 / 8000, np.log(power + 1e-9), 1)[0]
    return float(-2 / slope)


def some_drawn(trained: Trained) -> torch.Tensor:
    """256 drawn sounds."""
    return to_waves(torch.cat(list(trained.sample_sounds(256, seed=1))))


def some_real(trained: Trained) -> torch.Tensor:
    """256 real ones."""
    return to_waves(torch.from_numpy(trained.real_sounds(quiet=True).read(slice(0, 256))))


@torch.no_grad()
def seen_of_a_sample(trained: Trained, drawn: torch.Tensor, real: torch.Tensor) -> tuple[float, float]:
    """What a shift by one sample does to verdicts.

    Of drawn sounds the share of the way to the verdict of real ones; of real ones the change in deviations of verdicts.
    """
    assert isinstance(trained.model, SoundGame)
    drawn_verdicts, verdicts = trained.model.judge(drawn), trained.model.judge(real)
    nearer = (trained.model.judge(drawn.roll(1, 1)) - drawn_verdicts).mean()
    changed = (trained.model.judge(real.roll(1, 1)) - verdicts).abs().mean()
    return float(nearer / (verdicts.mean() - drawn_verdicts.mean())), float(changed / verdicts.std())


def loudness(waves: torch.Tensor) -> dict[str, float]:
    """The level of sounds, and that of what is not at the notes' frequencies below what is, in decibels."""
    powers = artefacts.average_powers(waves.double().numpy()).mean(0)
    frequencies = np.linspace(0, 4000, len(powers))
    notes = (frequencies > NOTES_HZ[0]) & (frequencies < NOTES_HZ[1])
    level = 20 * np.log10(float(waves.double().square().mean().sqrt()))
    return {"level_db": level, "noise_db": float(10 * np.log10(powers[~notes].sum() / powers[notes].sum()))}


if __name__ == "__main__":
    main()
