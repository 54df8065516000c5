import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from ganvas.core.errors import UserError
from ganvas.report.pictures.animation import MAX_FRAMES, MAX_SIDE_PX, film_within, thin, write_animation


def noise(side, channels=3, seed=0, width=None):
    return np.random.default_rng(seed).integers(0, 256, (side, width or side, channels), dtype=np.uint8)


def read(path, mode="RGB"):
    """Frames and their durations, by Pillow's decoder."""
    with Image.open(path) as image:
        return [
            (np.asarray(frame.convert(mode)), frame.info["duration"])
            for frame in ImageSequence.Iterator(image)
            if frame.load() is not None or True
        ]


def test_growth_is_enlarged_without_blending_and_without_loss(tmp_path):
    frames = [noise(side, seed=side) for side in (4, 8, 16, 32)]
    write_animation(frames, tmp_path / "growth.webp", fps=4, hold_s=1.5)
    shown = read(tmp_path / "growth.webp")
    assert len(shown) == 4
    for original, (frame, _) in zip(frames, shown, strict=True):
        scale = 32 // len(original)
        np.testing.assert_array_equal(frame, np.kron(original, np.ones((scale, scale, 1), np.uint8)))


def test_frames_last_as_long_as_their_rate_says_and_the_last_one_longer(tmp_path):
    write_animation([noise(8, seed=i) for i in range(3)], tmp_path / "a.webp", fps=4, hold_s=1.5)
    assert [duration for _, duration in read(tmp_path / "a.webp")] == [250, 250, 1750]


def test_transparency_survives(tmp_path):
    frames = [noise(8, channels=4, seed=i) for i in range(2)]
    write_animation(frames, tmp_path / "a.webp", fps=10)
    for original, (frame, _) in zip(frames, read(tmp_path / "a.webp", "RGBA"), strict=True):
        np.testing.assert_array_equal(frame[..., 3], original[..., 3])
        seen = original[..., 3] > 0
        np.testing.assert_array_equal(frame[seen], original[seen])


def test_a_gif_has_every_frame_at_the_largest_size(tmp_path):
    flat = [np.full((side, side, 3), 60 * index, np.uint8) for index, side in enumerate((4, 8, 16))]
    write_animation(flat, tmp_path / "a.gif", fps=10)
    shown = [frame for frame, _ in read(tmp_path / "a.gif")]
    assert [frame.shape for frame in shown] == [(16, 16, 3)] * 3
    assert [int(frame[0, 0, 0]) for frame in shown] == [0, 60, 120]  # One colour each: the palette holds it exactly.


def test_files_pictures_and_arrays_of_any_mode_may_be_mixed(tmp_path):
    Image.fromarray(noise(8)).save(tmp_path / "first.png")
    frames = [tmp_path / "first.png", Image.fromarray(noise(8, seed=1)), noise(8, channels=1, seed=2), noise(8)[..., 0]]
    write_animation(frames, tmp_path / "a.webp", fps=5)
    shown = [frame for frame, _ in read(tmp_path / "a.webp")]
    np.testing.assert_array_equal(shown[0], noise(8))
    np.testing.assert_array_equal(shown[2], noise(8, channels=1, seed=2).repeat(3, axis=2))


def test_long_sequences_keep_their_first_and_last_frame():
    chosen = [int(frame[0, 0]) for frame in thin([np.full((1, 1), i % 256, np.uint8) for i in range(5 * MAX_FRAMES)])]
    assert len(chosen) == MAX_FRAMES
    assert (chosen[0], chosen[-1]) == (0, (5 * MAX_FRAMES - 1) % 256)


def test_huge_frames_are_reduced(tmp_path):
    write_animation([np.zeros((20, 2 * MAX_SIDE_PX, 3), np.uint8)], tmp_path / "a.webp", fps=1)
    with Image.open(tmp_path / "a.webp") as image:
        assert image.size == (MAX_SIDE_PX, 10)


@pytest.mark.parametrize(("name", "frames"), [("a.mp4", [noise(4)]), ("a.webp", [])])
def test_what_cannot_be_an_animation_is_refused(tmp_path, name, frames):
    with pytest.raises(UserError, match=name):
        write_animation(frames, tmp_path / name, fps=5)


def test_where_no_file_can_be_read_the_old_animation_stays(tmp_path):
    path = tmp_path / "growth.webp"
    write_animation([noise(4)], path, fps=5)
    before = path.read_bytes()
    Image.fromarray(noise(64)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:2000])
    assert write_animation([tmp_path / "cut.png"], path, fps=5) == 0
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["cut.png", "growth.webp"]


def test_a_damaged_file_is_omitted_and_without_any_nothing_is_written(tmp_path):
    paths = [tmp_path / f"{index}.png" for index in range(4)]
    for index in (0, 2, 3):
        Image.new("RGB", (6, 4), (index, 0, 0)).save(paths[index])
    paths[1].write_bytes(b"")
    paths[3].write_bytes(paths[3].read_bytes()[:45])
    assert write_animation(paths, tmp_path / "film.webp", fps=8) == 2
    with Image.open(tmp_path / "film.webp") as film:
        assert film.n_frames == 2
    assert write_animation([paths[1]], tmp_path / "none.webp", fps=8) == 0
    assert not (tmp_path / "none.webp").exists()


def noisy_sheets(folder, count, side=300):
    random = np.random.default_rng(0)
    paths = [folder / f"{index}.png" for index in range(count)]
    for path in paths:
        Image.fromarray(random.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(path)
    return paths


def test_a_film_for_a_page_has_fewer_and_smaller_frames_as_its_bytes_demand(tmp_path):
    sheets = noisy_sheets(tmp_path, 30)
    whole, few = (film_within(sheets, most, fps=8) for most in (10**7, 10**6))
    assert len(few) <= 10**6 < len(whole)
    with Image.open(io.BytesIO(whole)) as image:
        assert (image.size, image.n_frames) == ((300, 300), 30)
    with Image.open(io.BytesIO(few)) as image:
        assert image.n_frames < 30
    assert film_within(sheets, 1000, fps=8) is None


def test_a_film_for_a_page_needs_two_sheets_that_can_be_read(tmp_path):
    one, broken = noisy_sheets(tmp_path, 2)
    broken.write_bytes(b"no picture")
    assert film_within([one, broken], 10**6, fps=8) is None
