import tarfile

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.sound_size import SoundSize
from ganvas.data.sound.opening_sounds import is_sounds, open_sounds
from ganvas.data.sound.packed_sounds import PackedSounds, pack_sounds, prepare_sounds, sound_source
from ganvas.data.sound.riff import SampleForm
from ganvas.data.sound.sound_source import SoundSurvey, from_stems, usual_size
from ganvas.data.sound.treatment import Treatment, pieces
from ganvas.data.sources.opening_sources import open_source

SIZE = SoundSize(rate=8000, length=256, normalise=False)


def test_rows_of_the_right_rate_and_length_are_the_samples_of_the_files(write, tmp_path):
    samples = np.arange(-128, 128) * 100
    write("a.wav", samples)
    folder = write("b.wav", samples[::-1])
    packed = prepare_sounds(str(folder), SIZE, cache=tmp_path / "cache", quiet=True)
    assert np.array_equal(packed.read(slice(None)), [samples, samples[::-1]])
    assert packed.treated == ""
    assert packed.labels is None
    again = prepare_sounds(str(folder), SIZE, cache=tmp_path / "cache", quiet=True)
    assert again.fingerprint == packed.fingerprint


def test_what_happens_to_other_recordings_is_said(write, tmp_path):
    write("long.wav", np.arange(256 + 200) - 100)  # Two pieces, and the next shorter than half of one.
    write("short.wav", [5, -5, 3])
    write("stereo.wav", np.stack([np.arange(256), 3 * np.arange(256)], 1))
    write("fast.wav", np.sin(np.arange(512) * 0.05) * 9000, rate=16000)
    write("still.wav", np.full(256, 77))
    folder = write("deep.wav", np.arange(256) * 2**8, form=SampleForm.INT24)
    packed = pack_sounds(str(folder), tmp_path / "out", SIZE, quiet=True)
    rows = packed.read(slice(None))  # In the order of their names: deep, fast, long twice, short, stereo.
    assert len(rows) == 6
    assert np.array_equal(rows[0], np.arange(256))
    assert np.array_equal(rows[3][:200], np.arange(256, 456) - 100)
    assert not rows[3][200:].any()
    assert rows[4][:4].tolist() == [5, -5, 3, 0]
    assert np.array_equal(rows[5], 2 * np.arange(256))
    expected = np.sin(np.arange(256) * 0.1) * 9000
    assert np.abs(rows[1] - expected)[64:-64].max() < 2
    assert packed.treated == (
        "Of 6 recordings, 1 with several channels was mixed to one; 1 at 16,000 Hz was resampled to 8,000 Hz; "
        "1 shorter than 0.032 s was padded with silence; 1 was cut into pieces of 0.032 s; 1 was left out, being "
        "silent (still.wav)."
    )


def test_every_recording_is_scaled_to_a_peak_of_one_where_that_is_asked_for(write, tmp_path):
    folder = write("a.wav", np.arange(-100, 156))
    packed = pack_sounds(str(folder), tmp_path / "out", SoundSize(rate=8000, length=256), quiet=True)
    assert np.array_equal(packed.read([0])[0], np.clip(np.rint(np.arange(-100, 156) / 155 * 32768), -32768, 32767))


def test_pieces_lie_one_after_the_other_and_a_short_rest_is_left_out():
    assert [piece.tolist() for piece in pieces(np.arange(1.0, 8.0), 3)] == [[1, 2, 3], [4, 5, 6]]
    assert [piece.tolist() for piece in pieces(np.arange(1.0, 9.0), 3)] == [[1, 2, 3], [4, 5, 6], [7, 8, 0]]
    assert [piece.tolist() for piece in pieces(np.array([1.0]), 3)] == [[1, 0, 0]]


@pytest.mark.parametrize(("seconds", "length"), [([0.9] * 40 + [3600.0], 8192), ([1.0] + [3600.0] * 40, 1 << 20)])
def test_one_recording_among_others_of_another_length_decides_nothing(seconds, length):
    count = len(seconds)
    found = SoundSurvey(
        kind="folder",
        count=count,
        rates={8000: count},
        channels={1: count},
        forms={"int16": count},
        seconds=tuple(sorted(seconds)),
        labels=None,
        passed_over={},
    )
    assert usual_size(found).length == length


@pytest.mark.parametrize("folders", [True, False])
def test_classes_come_from_folders_or_else_from_what_stands_first_in_the_names(write, folders):
    slash = "/" if folders else "_"
    for name in ("kick", "snare"):
        for number in range(2):
            where = write(f"{name}{slash}{number}.wav")
    source = open_sounds(str(where))
    found = source.survey(quiet=True)
    assert found.labels == {"kick": 2, "snare": 2}
    assert ("first in the names" in found.about_labels) != folders


@pytest.mark.parametrize(
    "names", [["take_1.wav", "take_2.wav"], ["a_1.wav", "a_2.wav", "b_1.wav"], ["a_1.wav", "b.wav"]]
)
def test_names_that_begin_alike_or_with_something_that_stands_alone_are_no_classes(names):
    assert from_stems(names) is None


def test_an_archive_holds_the_same_sounds_as_its_folder(write, tmp_path):
    for name in ("a/1.wav", "b/2.wav"):
        folder = write(name)
    with tarfile.open(tmp_path / "all.tar.gz", "w:gz") as archive:
        archive.add(folder, "sounds")
    both = [str(folder), str(tmp_path / "all.tar.gz")]
    packs = [prepare_sounds(spec, SIZE, cache=tmp_path / "cache", quiet=True) for spec in both]
    assert packs[0].fingerprint == packs[1].fingerprint
    assert packs[0].class_names == ("a", "b")
    assert all(is_sounds(spec) for spec in both)


def test_a_broken_file_is_refused_by_name_or_left_out_and_counted(write, tmp_path):
    folder = write("good.wav")
    (folder / "cut.wav").write_bytes((folder / "good.wav").read_bytes()[:-9])
    with pytest.raises(UserError, match=r"cut.wav is cut short: .*--broken skip"):
        pack_sounds(str(folder), tmp_path / "out", SIZE, quiet=True)
    assert not (tmp_path / "out").exists()
    packed = pack_sounds(str(folder), tmp_path / "out", SIZE, broken="skip", quiet=True)
    assert "1 more that cannot be read was left out" in packed.treated
    assert sound_source(str(folder)).survey(quiet=True).broken[0][0] == "cut.wav"


def test_a_folder_of_silence_is_refused(write, tmp_path):
    with pytest.raises(UserError, match="All 1 that can be read are silent"):
        pack_sounds(str(write("x.wav", np.zeros(9))), tmp_path / "out", SIZE, quiet=True)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("nothing/there", "There is no file or folder"),
        ("notes:5,x", "'x' is not understood"),
        ("scenes:5", "scenes:5 holds no sounds"),
        ("{folder}/a.wav", "is one sound. Name the folder"),
        ("{folder}/b.txt", "holds no sounds"),
        ("{folder}::other", "has no sounds in 'other'"),
    ],
)
def test_what_holds_no_sounds_is_refused(write, spec, reason):
    folder = write("a.wav")
    (folder / "b.txt").write_text("x")
    with pytest.raises(UserError, match=reason):
        open_sounds(spec.format(folder=folder))


def test_pictures_are_no_sounds_and_sounds_no_pictures(write, tmp_path):
    folder = write("a.wav")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/a.png").write_bytes(b"")
    assert is_sounds(str(folder))
    assert not is_sounds(str(tmp_path / "pictures"))
    assert not is_sounds("scenes:5")
    with pytest.raises(UserError, match="has no pictures in it, only other files"):
        open_source(str(folder))
    with pytest.raises(UserError, match="are sounds, and pictures are wanted"):
        open_source("notes:5")


def test_notes_are_packed_at_the_wanted_size_with_their_pitches_and_a_pack_is_a_source_of_its_size(tmp_path):
    size = SoundSize(rate=4000, length=64)
    packed = pack_sounds("notes:300,seed=2", tmp_path / "out", size, quiet=True)
    assert (len(packed), packed.size, len(packed.class_names)) == (300, size, 12)
    again = prepare_sounds(str(tmp_path / "out"), size, cache=tmp_path / "cache", quiet=True)
    assert again.fingerprint == packed.fingerprint
    assert sum(sound_source(str(tmp_path / "out")).survey(quiet=True).labels.values()) == 300
    assert sum(sound_source("notes:300,seed=2").survey(quiet=True).labels.values()) == 300
    with pytest.raises(UserError, match="was packed with 64 samples at 4,000 Hz"):
        prepare_sounds(str(tmp_path / "out"), SIZE, quiet=True)
    with pytest.raises(UserError, match="Leave their size out"):
        prepare_sounds("notes:5,64@4000", SIZE, cache=tmp_path / "cache", quiet=True)


def test_a_changed_byte_and_an_edited_manifest_are_noticed(tmp_path):
    out = tmp_path / "out"
    packed = pack_sounds("notes:3", out, SoundSize(rate=4000, length=64), quiet=True)
    manifest = (out / "manifest.json").read_text()
    (out / "manifest.json").write_text(manifest.replace('"rate": 4000', '"rate": "fast"'))
    with pytest.raises(UserError, match=r"damaged \(rate\)"):
        PackedSounds.open(out)
    (out / "manifest.json").write_text(manifest)
    data = bytearray((out / "waves.npy").read_bytes())
    data[-1] ^= 1
    (out / "waves.npy").write_bytes(data)
    with pytest.raises(UserError, match="do not match its fingerprint"):
        packed.verify()


def test_recordings_of_floating_point_numbers_beyond_one_are_clipped_only_without_scaling():
    from ganvas.data.sound.riff import Recording

    loud = Recording(samples=np.array([[2.0], [-4.0]], "<f4"), rate=8000, form=SampleForm.FLOAT32)
    of = lambda normalise: Treatment().fitted("x", loud, SoundSize(rate=8000, length=2, normalise=normalise))  # noqa: E731
    assert of(False)[0].tolist() == [32767, -32768]
    assert of(True)[0].tolist() == [16384, -32768]
