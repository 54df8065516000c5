"""Filling holes as a user asks for it: what stays as it was, which masks are taken, and what is refused."""

import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.data.holes.strokes import Drawn
from ganvas.models.fill import gated, partial, sketch_colour
from ganvas.nn.layers.initialise import initialise
from ganvas.tasks.inpainting import filling
from ganvas.tasks.inpainting.filling import HoleFiller
from ganvas.tasks.pictures.edit import Edit, edit
from ganvas.tasks.pictures.inpaint import Inpaint, inpaint
from ganvas.tasks.pictures.tiling import Reach
from ganvas.tasks.train import Train, train

SMALL = ("features=4", "dilations=2,4", "discriminator_features=4", "discriminator_layers=2", "batch_size=4")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A few steps at 16x16. Read only."""
    folder = tmp_path_factory.mktemp("filled")
    settings = (*SMALL, "measure_kimg=-1", "sample_kimg=0.008")
    train(
        Train(
            model="fill/gated",
            data="scenes:16,16x16",
            out=folder / "run",
            set=settings,
            kimg=0.008,
            quiet=True,
            estimate=False,
            device="cpu",
        )
    )
    return folder / "run"


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def a_hole(height, width):
    hole = np.zeros((height, width), bool)
    hole[height // 4 : height // 2, width // 4 : width // 2 + 3] = True
    return hole


def mask_file(path, hole):
    Image.fromarray((hole * 255).astype(np.uint8)).save(path)
    return path


def asked(run, source, masks, out, **changes):
    return inpaint(dataclasses.replace(Inpaint(run=run, source=source, masks=masks, out=out), **changes))


@pytest.mark.parametrize(
    ("name", "shape", "options"),
    [
        ("a.png", (21, 30, 3), {}),
        ("a.png", (21, 30), {}),
        ("a.png", (21, 30, 4), {}),
        ("a.png", (21, 30, 2), {}),
        ("a.bmp", (21, 30, 3), {}),
        ("a.tif", (21, 30, 3), {}),
        ("a.webp", (21, 30, 3), {"lossless": True}),
        ("a.png", (5, 3, 3), {}),
    ],
)
def test_outside_of_the_hole_every_number_stays_and_inside_something_is_made(run, tmp_path, name, shape, options):
    pixels, hole = noise(*shape), a_hole(*shape[:2])
    Image.fromarray(pixels).save(tmp_path / name, **options)
    out = tmp_path / f"out{Path(name).suffix}"
    asked(run, tmp_path / name, mask_file(tmp_path / "mask.png", hole), out)
    with Image.open(out) as image:
        found = np.array(image)
        assert image.format == {"png": "PNG", "bmp": "BMP", "tif": "TIFF", "webp": "WEBP"}[name[2:]]
    assert found.shape == pixels.shape
    assert np.array_equal(found[~hole], pixels[~hole])
    assert not np.array_equal(found[hole], pixels[hole])
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        assert np.array_equal(found[..., -1], pixels[..., -1]), "alpha is nobody's business"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_stays_turned_and_its_mask_is_of_what_a_person_sees(run, tmp_path, orientation):
    stored = Image.fromarray(noise(20, 28, 3))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif, icc_profile=b"not looked into")
    upright = (20, 28) if orientation < 5 else (28, 20)
    hole = np.zeros(upright, bool)
    hole[2:9, 3:6] = True
    asked(run, tmp_path / "a.png", mask_file(tmp_path / "mask.png", hole), tmp_path / "out.png")
    from PIL import ImageOps

    with Image.open(tmp_path / "out.png") as found:
        assert found.getexif()[0x0112] == orientation
        assert found.info["icc_profile"] == b"not looked into"
        after = np.array(ImageOps.exif_transpose(found))
    before = np.array(ImageOps.exif_transpose(Image.open(tmp_path / "a.png")))
    assert np.array_equal(after[~hole], before[~hole])
    assert (after[hole] != before[hole]).any(1).mean() > 0.5


def test_a_palette_is_written_as_its_colours_and_a_jpeg_as_png_with_its_pixels(run, tmp_path):
    (tmp_path / "in").mkdir()
    Image.fromarray(noise(16, 16, 3)).quantize(16).save(tmp_path / "in" / "p.png")
    Image.fromarray(noise(16, 24, 3)).save(tmp_path / "in" / "j.jpg", quality=80)
    Image.fromarray(noise(16, 24, 3)).save(tmp_path / "in" / "j.png")
    masks = tmp_path / "masks"
    masks.mkdir()
    mask_file(masks / "p.png", a_hole(16, 16))
    mask_file(masks / "j.png", a_hole(16, 24))
    done = asked(run, tmp_path / "in", masks, tmp_path / "out")
    assert done.recoded == ("j.jpg",)
    for name, written in (("p.png", "p.png"), ("j.jpg", "j.jpg.png"), ("j.png", "j.png")):
        before = np.array(Image.open(tmp_path / "in" / name).convert("RGB"))
        after = np.array(Image.open(tmp_path / "out" / written))
        hole = a_hole(*before.shape[:2])
        assert np.array_equal(after[~hole], before[~hole])


def test_what_is_under_the_mask_changes_nothing(run, tmp_path):
    hole, pixels = a_hole(24, 24), noise(24, 24, 3)
    other = np.where(hole[..., None], noise(24, 24, 3, seed=1), pixels)
    mask = mask_file(tmp_path / "mask.png", hole)
    found = []
    for name, picture in (("a", pixels), ("b", other)):
        (tmp_path / name).mkdir()
        Image.fromarray(picture).save(tmp_path / name / "x.png")
        asked(run, tmp_path / name / "x.png", mask, tmp_path / name / "out.png")
        found.append(np.array(Image.open(tmp_path / name / "out.png")))
    assert np.array_equal(*found)


def test_an_empty_mask_gives_the_same_file_and_strokes_are_a_mask(run, tmp_path):
    Image.fromarray(noise(16, 16, 3)).save(tmp_path / "a.png")
    empty = mask_file(tmp_path / "empty.png", np.zeros((16, 16), bool))
    done = asked(run, tmp_path / "a.png", empty, tmp_path / "same.png")
    assert done.untouched == ("a.png",)
    assert (tmp_path / "same.png").read_bytes() == (tmp_path / "a.png").read_bytes()
    Image.fromarray(noise(16, 16, 3)).save(tmp_path / "a.jpg")
    asked(run, tmp_path / "a.jpg", empty, tmp_path / "same-jpeg.png")
    with Image.open(tmp_path / "same-jpeg.png") as found:
        assert found.format == "PNG", "as its name says"
        assert np.array_equal(np.array(found), np.array(Image.open(tmp_path / "a.jpg")))
    stroke = {"pen": "mask", "width": 4, "points": [[4, 4], [10, 8]]}
    strokes = tmp_path / "strokes.json"
    strokes.write_text(json.dumps({"ganvas": "strokes", "version": 1, "size": [16, 16], "strokes": [stroke]}))
    assert asked(run, tmp_path / "a.png", strokes, tmp_path / "out.png").white is None
    assert (np.array(Image.open(tmp_path / "out.png")) != np.array(Image.open(tmp_path / "a.png"))).any()


def test_an_interrupted_folder_goes_on_and_other_settings_do_not_mix_with_it(run, tmp_path):
    for folder in ("in", "masks"):
        (tmp_path / folder).mkdir()
    for name in "abc":
        Image.fromarray(noise(16, 16, 3, seed=ord(name))).save(tmp_path / "in" / f"{name}.png")
        mask_file(tmp_path / "masks" / f"{name}.png", a_hole(16, 16))
    first = asked(run, tmp_path / "in", tmp_path / "masks", tmp_path / "out")
    made = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*.png")}
    (tmp_path / "out" / "b.png").unlink()
    again = asked(run, tmp_path / "in", tmp_path / "masks", tmp_path / "out")
    assert (first.before, again.before) == (0, 2)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*.png")} == made
    with pytest.raises(UserError, match="seed 0, and now it is 1"):
        asked(run, tmp_path / "in", tmp_path / "masks", tmp_path / "out", seed=1)
    mask_file(tmp_path / "masks" / "c.png", a_hole(16, 16)[::-1])
    other = asked(run, tmp_path / "in", tmp_path / "masks", tmp_path / "out")
    assert (other.before, other.renewed) == (2, 1)
    after = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*.png")}
    assert [name for name in made if after[name] != made[name]] == ["c.png"], "a corrected mask is heeded"


def test_the_truth_is_measured_beside_the_harmonic_filling(run, tmp_path):
    truth, hole = noise(24, 24, 3), a_hole(24, 24)
    (tmp_path / "truth").mkdir()
    Image.fromarray(truth).save(tmp_path / "truth" / "a.png")
    Image.fromarray(np.where(hole[..., None], 0, truth)).save(tmp_path / "a.png")
    mask = mask_file(tmp_path / "mask.png", hole)
    done = asked(run, tmp_path / "a.png", mask, tmp_path / "out.png", truth=tmp_path / "truth")
    found = {result["metric"]: result["value"] for result in done.results}
    made = np.array(Image.open(tmp_path / "out.png")).astype(float)
    assert found["l1.hole"] == pytest.approx(np.abs(made - truth)[hole].mean() / 255)
    assert {result["metric"] for result in done.floor} == set(found)


def grey(values):
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("mask", "changes", "said"),
    [
        (~a_hole(16, 16) * np.uint8(255), {}, "--white known"),
        (np.full((16, 16), 255, np.uint8), {"white": "hole"}, "whole picture"),
        (a_hole(32, 32) * np.uint8(255), {}, "32x32.*16x16.*--resize-masks"),
        (a_hole(16, 16).astype(np.uint8), {}, "0 and 1"),
    ],
    ids=["inverted", "full", "of another size", "of ones"],
)
def test_masks_that_cannot_be_meant_are_refused_and_nothing_is_written(run, tmp_path, mask, changes, said):
    Image.fromarray(noise(16, 16, 3)).save(tmp_path / "a.png")
    (tmp_path / "mask.png").write_bytes(grey(mask))
    with pytest.raises(UserError, match=said):
        asked(run, tmp_path / "a.png", tmp_path / "mask.png", tmp_path / "out.png", **changes)
    assert not (tmp_path / "out.png").exists()
    Image.fromarray(noise(16, 16, 3)).save(new_folder(tmp_path / "in") / "a.png")
    Image.fromarray(noise(16, 16, 3)).save(tmp_path / "in" / "b.png")
    mask_file(new_folder(tmp_path / "masks") / "a.png", a_hole(16, 16))
    (tmp_path / "masks" / "b.png").write_bytes(grey(mask))
    with pytest.raises(UserError, match=said):
        asked(run, tmp_path / "in", tmp_path / "masks", tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists(), "the mask of the second picture is seen before the first is filled"


def new_folder(path):
    path.mkdir()
    return path


def strokes_file(path, *pens):
    strokes = [{"pen": pen, "width": 4, "points": [[4, 4], [10, 8]]} for pen in pens]
    path.write_text(json.dumps({"ganvas": "strokes", "version": 1, "size": [16, 16], "strokes": strokes}))
    return path


def test_strokes_without_a_mask_are_refused_and_those_that_are_not_heeded_are_told_once(run, tmp_path, capsys):
    for name in "abc":
        Image.fromarray(noise(16, 16, 3)).save(tmp_path / f"{name}.png")
    with pytest.raises(
        UserError, match=r"holds strokes of sketch, and none of mask on the .* pixels.*add strokes of the pen mask"
    ):
        edit(
            Edit(
                run=run,
                source=tmp_path / "a.png",
                strokes=strokes_file(tmp_path / "only.json", "sketch"),
                out=tmp_path / "out",
            )
        )
    drawn = strokes_file(tmp_path / "drawn.json", "mask", "sketch")
    asked(run, tmp_path, drawn, tmp_path.parent / f"{tmp_path.name} out")
    assert capsys.readouterr().err.count("fill/gated does not heed") == 1


def test_an_inverted_mask_and_one_of_another_size_are_taken_where_it_is_said(run, tmp_path):
    pixels, hole = noise(16, 16, 3), a_hole(16, 16)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    inverted = mask_file(tmp_path / "inverted.png", ~hole)
    large = mask_file(tmp_path / "large.png", hole.repeat(2, 0).repeat(2, 1))
    first = asked(run, tmp_path / "a.png", inverted, tmp_path / "one.png", white="known")
    second = asked(run, tmp_path / "a.png", large, tmp_path / "two.png", resize_masks=True)
    assert (first.white, second.white) == ("known", "hole")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_missing_masks_are_named_before_anything_is_written(run, tmp_path):
    for folder in ("in", "masks"):
        (tmp_path / folder).mkdir()
    for name in ("a", "b"):
        Image.fromarray(noise(16, 16, 3)).save(tmp_path / "in" / f"{name}.png")
    mask_file(tmp_path / "masks" / "a.png", a_hole(16, 16))
    with pytest.raises(UserError, match=r"1 of 2 pictures have no mask.*b\.png"):
        asked(run, tmp_path / "in", tmp_path / "masks", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_that_fills_no_holes_and_a_suffix_that_would_lose_pixels_are_refused(run, tmp_path):
    Image.fromarray(noise(16, 16, 3)).save(tmp_path / "a.jpg")
    mask = mask_file(tmp_path / "mask.png", a_hole(16, 16))
    with pytest.raises(UserError, match=r"\.png"):
        asked(run, tmp_path / "a.jpg", mask, tmp_path / "out.jpg")
    with pytest.raises(UserError, match="no picture"):
        asked(run, tmp_path / "a.jpg", mask, tmp_path / "out.png", truth=tmp_path / "nowhere")
    with pytest.raises(UserError, match="inside"):
        asked(run, tmp_path, mask, tmp_path / "out")


def test_a_window_around_the_hole_is_enough_where_it_is_asked_for(run, tmp_path):
    pixels, hole = noise(64, 80, 3), np.zeros((64, 80), bool)
    hole[30:34, 40:45] = True
    Image.fromarray(pixels).save(tmp_path / "a.png")
    mask = mask_file(tmp_path / "mask.png", hole)
    asked(run, tmp_path / "a.png", mask, tmp_path / "out.png", context=6)
    cut = (slice(24, 40), slice(34, 51))
    Image.fromarray(np.ascontiguousarray(pixels[cut])).save(tmp_path / "cut.png")
    small = mask_file(tmp_path / "small.png", np.ascontiguousarray(hole[cut]))
    asked(run, tmp_path / "cut.png", small, tmp_path / "cut-out.png")
    found, alone = (np.array(Image.open(tmp_path / name)) for name in ("out.png", "cut-out.png"))
    assert np.array_equal(found[~hole], pixels[~hole])
    assert np.array_equal(found[cut], alone)


def filler(model, **changes):
    initialise(model, stream(0, "weights"))
    how = {"channels": 3, "context": None, "memory_gb": 1.0, "device": torch.device("cpu")}
    return HoleFiller(model=model.eval(), **(how | changes))


@pytest.mark.parametrize("module", [partial, sketch_colour])
def test_tiles_fill_as_the_whole_picture_does_where_a_model_looks_no_farther_than_their_halo(
    module, monkeypatch, capsys
):
    monkeypatch.setattr(filling, "WHOLE_PIXELS", 1000)
    fill = filler(module.Model(module.TINY))
    halo, height, width = fill.reach.halo, 70, 93
    assert halo is not None
    pixels, hole = noise(height, width, 3), np.zeros((height, width), bool)
    hole[5:60, 20:30], hole[40:45, 10:90] = True, True
    colour = noise(height, width, 3, seed=1)
    drawn = Drawn(
        hole=hole, sketch=noise(height, width) > 250, colour=colour, coloured=noise(height, width, seed=2) > 200
    )
    whole = fill(pixels, drawn, seed=3)
    assert (whole[~hole] == pixels[~hole]).all()
    assert (whole[hole] != pixels[hole]).any()
    side = 2 * halo + 3 * fill.model.stride
    fill.memory_gb = side**2 * fill.reach.bytes_per_pixel / 1e9
    capsys.readouterr()
    in_tiles = fill(pixels, drawn, seed=3)
    assert f"tiles with {halo} pixels around each" in capsys.readouterr().err
    assert np.abs(in_tiles.astype(int) - whole).max() <= 1  # Sums of other orders may round to the next byte.
    assert (in_tiles != whole).mean() < 1e-3
    monkeypatch.setattr(filling, "reach_of", lambda *args, **how: None)
    fill._reach = Reach(stride=fill.model.stride, halo=0, bytes_per_pixel=fill.reach.bytes_per_pixel)
    assert np.abs(fill(pixels, drawn, seed=3).astype(int) - whole).max() > 1  # A halo that is too short.


def test_a_model_that_looks_everywhere_says_what_it_sees_and_refuses_what_does_not_fit(monkeypatch, capsys):
    monkeypatch.setattr(filling, "WHOLE_PIXELS", 1000)
    monkeypatch.setattr(filling, "CONTEXT", 16)
    fill = filler(gated.Model(gated.TINY))
    pixels, hole = noise(60, 80, 3), np.zeros((60, 80), bool)
    hole[20:24, 40:44] = True
    none = np.zeros_like(hole)
    fill(pixels, Drawn(hole=hole, sketch=none, colour=0 * pixels, coloured=none), seed=0)
    assert (
        "60x80 (height x width) the model sees 36x36 around the hole: about 0.0 GB at once" in capsys.readouterr().err
    )
    fill.memory_gb = 1e-9
    with pytest.raises(UserError, match=r"see 36x36 .* --context"):
        fill(pixels, Drawn(hole=hole, sketch=none, colour=0 * pixels, coloured=none), seed=0)
