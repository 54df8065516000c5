import io
import json
import math
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.dissect.latents.walks import slerp
from ganvas.tasks.sample import Interpolate, Sample, interpolate, sample
from ganvas.tasks.train import Train, train
from ganvas.train.trained import Trained, load

TINY = (
    "latent_size=8",
    "fmap_base=64",
    "fmap_max=8",
    "batch_size=8",
    "train_kimg=0.008",
    "fade_kimg=0.008",
    "measure_kimg=-1",
    "sample_kimg=1",
)
CLASSES = ("ant", "bee", "cow")


def draw(folder: Path, count: int, *, channels: int = 3, seed: int = 0) -> Path:
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 16, 16, channels), dtype=np.uint8)
    for index, picture in enumerate(pixels):
        Image.fromarray(picture.squeeze()).save(folder / f"{index:03d}.png")
    return folder


def trained_on(folder: Path, run: Path, *, model="gan/progan", settings=TINY, **options) -> Path:
    train(
        Train(
            model=model,
            data=str(folder),
            out=run,
            set=settings,
            kimg=0.048,
            quiet=True,
            estimate=False,
            device="cpu",
            **options,
        )
    )
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """Grown to 16x16; keeps the models of 0 and of 0.048 kimg. Read only."""
    folder = tmp_path_factory.mktemp("plain")
    return trained_on(draw(folder / "in", 9), folder / "run")


@pytest.fixture(scope="module")
def conditional(tmp_path_factory) -> Path:
    """Three classes. Read only."""
    folder = tmp_path_factory.mktemp("conditional")
    for seed, name in enumerate(CLASSES):
        draw(folder / "in" / name, 4, seed=seed)
    return trained_on(folder / "in", folder / "run", conditional=True)


def drawn_by_hand(trained: Trained, z: torch.Tensor, labels: torch.Tensor | None = None) -> np.ndarray:
    """Bytes (n, h, w, c) of latents: the generator's output in [-1, 1], to the nearest of 256 levels."""
    with torch.no_grad():
        images = trained.decode(z, labels)
    return np.clip(np.rint((images.double().numpy() + 1) * 127.5), 0, 255).transpose(0, 2, 3, 1)


def read_folder(folder: Path) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.iterdir())])


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """The same up to one level: convolutions of another batch may round a value at the border of two levels."""
    return a.shape == b.shape and np.abs(a.astype(int) - b.astype(int)).max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 3, 64])
def test_the_same_seed_gives_the_same_pictures_whatever_the_batch(run, tmp_path, batch):
    for name, size in (("a", batch), ("b", 7)):
        sample(Sample(run=run, n=7, to="folder", out=tmp_path / name, seed=5, batch=size))
    assert close(read_folder(tmp_path / "a"), read_folder(tmp_path / "b"))
    sample(Sample(run=run, n=7, to="folder", out=tmp_path / "c", seed=6))
    assert not close(read_folder(tmp_path / "a"), read_folder(tmp_path / "c"))


def test_a_folder_holds_what_the_generator_draws(run, tmp_path):
    result = sample(Sample(run=run, n=5, to="folder", out=tmp_path / "fakes", seed=2))
    trained = load(run)
    expected = drawn_by_hand(trained, trained.latents(5, seed=2))
    assert close(read_folder(tmp_path / "fakes"), expected)
    assert [path.name for path in sorted((tmp_path / "fakes").iterdir())] == [f"{index:06d}.png" for index in range(5)]
    assert (result.path, result.pictures, result.kimg) == (tmp_path / "fakes", 5, 0.048)


def test_a_grid_has_the_pictures_in_reading_order_enlarged_pixel_by_pixel(run, tmp_path):
    sample(Sample(run=run, n=4, out=tmp_path / "grid.png", seed=2, scale=3))
    sample(Sample(run=run, n=4, to="folder", out=tmp_path / "single", seed=2))
    single = read_folder(tmp_path / "single")
    sheet = np.asarray(Image.open(tmp_path / "grid.png"))
    assert sheet.shape == (2 * 48 + 1, 2 * 48 + 1, 3)  # One white pixel between.
    for index, (top, left) in enumerate([(0, 0), (0, 49), (49, 0), (49, 49)]):
        cell = sheet[top : top + 48, left : left + 48]
        assert (cell[::3, ::3] == single[index]).all()
        assert (cell[2::3, 2::3] == single[index]).all()
    assert (sheet[48] == 255).all()


@pytest.mark.slow
def test_a_grid_is_enlarged_to_about_a_screen_and_takes_the_format_of_its_name(run, tmp_path):
    for name, kind in (("a.png", "PNG"), ("a.PNG", "PNG"), ("a.jpg", "JPEG"), ("a.webp", "WEBP")):
        sample(Sample(run=run, n=64, out=tmp_path / name))
        with Image.open(tmp_path / name) as image:
            assert image.format == kind
            assert image.size == (8 * 16 * 8 + 7,) * 2  # 1024 pixels of pictures.


def test_a_sheet_may_be_replaced_but_a_set_of_pictures_may_not(run, tmp_path):
    for _ in range(2):
        sample(Sample(run=run, n=1, out=tmp_path / "grid.png"))
    for to, out in (("folder", tmp_path / "fakes"), ("zip", tmp_path / "fakes.zip")):
        sample(Sample(run=run, n=1, to=to, out=out))
        with pytest.raises(UserError, match="something is there already"):
            sample(Sample(run=run, n=1, to=to, out=out, seed=1))


def test_outputs_have_their_usual_names_where_none_is_given(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for to in ("grid", "folder", "zip"):
        sample(Sample(run=run, n=1, to=to))
    assert {path.name for path in tmp_path.iterdir()} == {"samples.png", "samples", "samples.zip"}


def test_a_zip_has_the_layout_of_stylegan_and_is_read_back_with_its_labels(conditional, tmp_path):
    from ganvas.data.packing import prepare

    sample(Sample(run=conditional, n=12, to="zip", out=tmp_path / "fakes.zip", seed=3, batch=5))
    with zipfile.ZipFile(tmp_path / "fakes.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        listed = json.loads(archive.read("dataset.json"))["labels"]
        first = np.asarray(Image.open(io.BytesIO(archive.read(names[0]))))
    assert names[:2] == ["00000/img00000000.png", "00000/img00000001.png"]
    assert [name for name, _ in listed] == names
    trained = load(conditional)
    z, labels = trained.latents(12, seed=3), trained.labels(12, seed=3, label=None)
    assert labels is not None
    assert set(labels.tolist()) == {0, 1, 2}
    packed = prepare(str(tmp_path / "fakes.zip"), quiet=True)
    assert packed.labels is not None
    assert packed.labels.tolist() == labels.tolist() == [label for _, label in listed]
    assert close(packed.read(slice(0, 12)), drawn_by_hand(trained, z, labels))
    assert (packed.read(slice(0, 1))[0] == first).all()


def test_a_zip_of_a_model_without_classes_has_no_labels(run, tmp_path):
    from ganvas.data.packing import prepare

    sample(Sample(run=run, n=3, to="zip", out=tmp_path / "fakes.zip"))
    packed = prepare(str(tmp_path / "fakes.zip"), quiet=True)
    assert (len(packed), packed.labels) == (3, None)


@pytest.mark.slow
def test_a_class_is_drawn_by_name_or_by_number(conditional, tmp_path):
    for name, label in (("a", "bee"), ("b", "1"), ("c", "cow")):
        sample(Sample(run=conditional, n=3, to="folder", out=tmp_path / name, label=label))
    trained = load(conditional)
    assert trained.class_names == CLASSES
    expected = drawn_by_hand(trained, trained.latents(3), torch.ones(3, dtype=torch.long))
    assert close(read_folder(tmp_path / "a"), expected)
    assert (read_folder(tmp_path / "a") == read_folder(tmp_path / "b")).all()
    assert not close(read_folder(tmp_path / "a"), read_folder(tmp_path / "c"))


@pytest.mark.parametrize("label", ["beee", "3", "-1"])
def test_a_class_that_there_is_not_is_refused(conditional, tmp_path, label):
    with pytest.raises(UserError, match=r"not a class of 0 to 2.*ant, bee, cow"):
        sample(Sample(run=conditional, n=1, out=tmp_path / "grid.png", label=label))
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_model_draws_other_pictures_and_those_of_a_small_stage_in_blocks(run, tmp_path):
    sample(Sample(run=run, n=2, to="folder", out=tmp_path / "early", kimg=0))
    sample(Sample(run=run / "model" / "000000.000", n=2, to="folder", out=tmp_path / "named"))
    early = read_folder(tmp_path / "early")
    assert (early == read_folder(tmp_path / "named")).all()
    assert (early[:, ::4, ::4].repeat(4, 1).repeat(4, 2) == early).all()  # A 4x4 picture, each pixel 4x4.
    with pytest.raises(UserError, match=r"keeps no model at 7 kimg. It keeps: 0, 0\.048"):
        sample(Sample(run=run, n=1, out=tmp_path / "grid.png", kimg=7))


def directions(a: list[float], b: list[float]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor([a], dtype=torch.float64), torch.tensor([b], dtype=torch.float64)


def test_a_walk_between_two_latents_begins_and_ends_with_them(rng):
    a, b = (torch.randn(5, 8, generator=rng, dtype=torch.float64) for _ in range(2))
    torch.testing.assert_close(slerp(a, b, torch.tensor(0.0)), a, rtol=0, atol=1e-14)
    torch.testing.assert_close(slerp(a, b, torch.tensor(1.0)), b, rtol=0, atol=1e-14)


@pytest.mark.parametrize("t", [0.1, 1 / 3, 0.5, 0.9])
def test_a_walk_turns_at_constant_speed(t):
    """From (1, 0) to (0, 1) it is (cos, sin) of a quarter turn times t."""
    a, b = directions([1.0, 0.0], [0.0, 1.0])
    expected = torch.tensor([[math.cos(t * math.pi / 2), math.sin(t * math.pi / 2)]], dtype=torch.float64)
    torch.testing.assert_close(slerp(a, b, torch.tensor(t, dtype=torch.float64)), expected, rtol=0, atol=1e-14)


def test_unit_vectors_stay_unit_vectors_and_lengths_change_evenly(rng):
    a, b = (torch.nn.functional.normalize(torch.randn(64, 8, generator=rng, dtype=torch.float64)) for _ in range(2))
    for t in (0.25, 0.5, 0.8):
        assert (slerp(a, b, torch.tensor(t, dtype=torch.float64)).norm(dim=1) - 1).abs().max() < 1e-12
        lengths = slerp(2 * a, 6 * b, torch.tensor(t, dtype=torch.float64)).norm(dim=1)
        assert (lengths - (2 + 4 * t)).abs().max() < 1e-12


def test_the_same_and_opposite_directions_walk_a_line():
    a, b = directions([0.6, 0.8], [0.6, 0.8])
    torch.testing.assert_close(slerp(a, 3 * b, torch.tensor(0.5)), 2 * a)
    there = torch.stack(
        [slerp(a, -b, torch.tensor(t, dtype=torch.float64), straight=True) for t in (0.0, 0.25, 0.75, 1.0)]
    )
    assert there.isfinite().all()
    torch.testing.assert_close(there[0], a)
    torch.testing.assert_close(there[3], -b)


def test_float32_latents_almost_alike_do_not_lose_their_way():
    a = torch.full((1, 512), 1.0)
    b = a.clone()
    b[0, 0] += 1e-3
    assert (slerp(a, b, torch.tensor(0.5)) - a).abs().max() < 2e-3


def test_a_walk_is_filmed_frame_by_frame_and_begins_at_the_first_latents(run, tmp_path):
    result = interpolate(Interpolate(run=run, points=3, frames=2, grid=4, seed=1, scale=1, out=tmp_path / "walk.webp"))
    assert result.pictures == 6
    with Image.open(tmp_path / "walk.webp") as film:
        assert (film.n_frames, film.size, film.info["loop"]) == (6, (33, 33), 0)
    interpolate(Interpolate(run=run, points=3, frames=2, grid=4, seed=1, scale=1, out=tmp_path / "frames"))
    frames = read_folder(tmp_path / "frames")
    assert frames.shape == (6, 33, 33, 3)
    trained = load(run)
    z = trained.latents(12, seed=1).view(3, 4, -1)
    for point in range(3):  # Every second frame stands at a latent.
        cells = frames[2 * point]
        shown = np.stack([cells[y : y + 16, x : x + 16] for y in (0, 17) for x in (0, 17)])
        assert close(shown, drawn_by_hand(trained, z[point]))
    halfway = drawn_by_hand(trained, slerp(z[2], z[0], torch.tensor(0.5)))  # The way back to the first.
    assert close(frames[5][:16, :16], halfway[0])


def test_a_walk_of_one_class_keeps_its_class(conditional, tmp_path):
    interpolate(Interpolate(run=conditional, points=2, frames=1, grid=1, scale=1, label="cow", out=tmp_path / "frames"))
    trained = load(conditional)
    expected = drawn_by_hand(trained, trained.latents(2), torch.full((2,), 2))
    assert close(read_folder(tmp_path / "frames"), expected)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"points": 1}, "--points of at least 2"),
        ({"frames": 0}, "--frames"),
        ({"scale": 0}, "--scale 0"),
        ({"out": Path("walk.mp4")}, r"\.webp or \.gif"),
    ],
)
def test_a_walk_that_cannot_be_filmed_is_refused(run, tmp_path, monkeypatch, change, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=said):
        interpolate(replace(Interpolate(run=run), **change))
    assert list(tmp_path.iterdir()) == []


def test_three_lines_of_python_load_sample_and_show(run, monkeypatch):
    shown = []
    monkeypatch.setattr(Image.Image, "show", lambda image: shown.append(image))
    load(run).sample(64, seed=1).show()
    assert [image.size for image in shown] == [(8 * 128 + 7, 8 * 128 + 7)]
    pictures = load(str(run)).sample(64, seed=1)
    assert len(pictures) == 64
    assert pictures.bytes.shape == (64, 16, 16, 3)
    assert pictures.bytes.dtype == np.uint8
    assert (np.asarray(shown[0])[:128:8, :128:8] == pictures.bytes[0]).all()


def test_a_file_a_strange_folder_and_a_young_run_are_told_apart(run, tmp_path):
    with pytest.raises(UserError, match="is a file"):
        load(run / "run.json")
    with pytest.raises(UserError, match="is not a run"):
        load(run / "state")
    with pytest.raises(UserError, match=r"Did you mean 'run'"):
        load(run.parent / "runs")
    (tmp_path / "run.json").write_text('{"format": 2}')
    with pytest.raises(UserError, match="has no model yet"):
        load(tmp_path)


def test_truncation_reaches_the_sheet_and_the_walk_and_is_refused_where_there_is_none(run, tmp_path):
    settings = ("latent_size=8", "style_size=8", "mapping_layers=2", "fmap_base=32", "fmap_max=8", "batch_size=8")
    data = draw(tmp_path / "in", 9)
    styled = trained_on(data, tmp_path / "styled", model="gan/stylegan2", settings=settings)
    spread = {}
    for psi in (None, 0.0):
        told = {"truncation": psi, "out": tmp_path / f"pictures {psi == 0}"}
        sample(Sample(run=styled, n=3, to="folder", **told))
        pictures = np.stack([np.asarray(Image.open(file)) for file in sorted(told["out"].iterdir())])
        spread[psi] = np.ptp(pictures.astype(int), axis=0).max()
        sample(Sample(run=styled, n=4, truncation=psi, out=tmp_path / f"sheet {psi == 0}.png"))
        told["out"] = tmp_path / f"walk {psi == 0}"
        interpolate(Interpolate(run=styled, points=2, frames=1, grid=1, **told))
    assert spread[0.0] == 0 < spread[None]
    sheets = [(tmp_path / f"sheet {zero}.png").read_bytes() for zero in (True, False)]
    assert sheets[0] != sheets[1]
    first, second = (np.asarray(Image.open(file)) for file in sorted((tmp_path / "walk True").iterdir()))
    assert np.array_equal(first, second)
    with pytest.raises(UserError, match=r"--truncation 0\.7: gan/progan has no"):
        sample(Sample(run=run, out=tmp_path / "none.png", truncation=0.7))
    with pytest.raises(UserError, match=r"--truncation 0\.7: gan/progan has no"):
        interpolate(Interpolate(run=run, out=tmp_path / "none", truncation=0.7))
    assert not any((tmp_path / name).exists() for name in ("none.png", "none"))


def test_a_walk_at_the_pace_of_pictures_changes_them_evenly(run, tmp_path):
    def changes(pace):
        task = Interpolate(run=run, points=2, frames=12, grid=1, seed=1, scale=1, pace=pace, out=tmp_path / pace)
        interpolate(task)
        frames = read_folder(tmp_path / pace).astype(float)
        return np.sqrt(np.square(frames - np.roll(frames, 1, 0)).mean((1, 2, 3)))

    latents, pictures = changes("latents"), changes("pictures")
    assert pictures.std() / pictures.mean() < 0.5 * latents.std() / latents.mean()
