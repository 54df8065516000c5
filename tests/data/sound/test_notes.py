import hashlib

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.sound.notes import PITCH_NAMES, Notes, frequency_of


def test_the_strongest_lines_of_a_note_are_whole_multiples_of_the_frequency_of_its_pitch():
    made = Notes(length=16384, rate=16000, count=24, seed=3)
    waves, pitches = made.select(np.arange(24))
    spectra = np.abs(np.fft.rfft(waves * np.hanning(16384)))
    bins = spectra[:, :4000].argmax(1) * 16000 / 16384
    multiples = bins / [frequency_of(int(pitch)) for pitch in pitches]
    assert np.allclose(multiples, np.rint(multiples), atol=0.51 * 16000 / 16384 / 261)  # Half a bin.
    assert (np.rint(multiples) >= 1).all()


def test_a_note_is_the_same_alone_and_in_any_order_and_longer_sets_begin_as_shorter_ones_do():
    made = Notes(length=256, rate=4000, count=50)
    waves, pitches = made.select(np.arange(50))
    assert np.array_equal(made.select(np.array([31, 4]))[0], waves[[31, 4]])
    assert np.array_equal(Notes(length=256, rate=4000, count=9).select(np.arange(9))[1], pitches[:9])
    assert not np.array_equal(Notes(length=256, rate=4000, seed=1).select(np.arange(50))[0], waves)


def test_the_bytes_of_a_set_are_those_that_they_were():
    waves, _ = Notes(length=64, rate=4000, seed=7).select(np.arange(3))
    assert hashlib.sha256(waves.tobytes()).hexdigest() == (
        "a83db377c627b6d5f5396e78302ffcf7cb45dbdeb4a9cf98e71bdd8ab8b953c5"
    )


def test_every_pitch_comes_as_often_as_any_and_nothing_is_clipped_or_silent():
    waves, pitches = Notes(length=512, rate=4000, count=1200).select(np.arange(1200))
    counts = np.bincount(pitches, minlength=len(PITCH_NAMES))
    assert ((counts - 100) ** 2 / 100).sum() < 31  # Chi-square of 11 degrees of freedom: once in a thousand.
    peaks = np.abs(waves.astype(int)).max(1)
    assert peaks.max() < 32767
    assert peaks.min() > 500


def test_what_cannot_be_made_is_refused():
    with pytest.raises(UserError, match="need a rate of 1,100"):
        Notes(rate=800)
    with pytest.raises(UserError, match="8 samples"):
        Notes(length=8)
