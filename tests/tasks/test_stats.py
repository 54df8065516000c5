import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.core.results import difference
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.stats import Stats, stats

LOOK = {"features": "untrained", "quiet": True}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two folders of 40 pictures of noise, and one of another size. Read only: tests share them."""
    root = tmp_path_factory.mktemp("given")
    for name, seed, size, deviation in (("reals", 1, 16, 40), ("fakes", 2, 16, 60), ("large", 3, 24, 40)):
        random = np.random.default_rng(seed)
        (root / name).mkdir()
        for index in range(40):
            pixels = (128 + deviation * random.normal(size=(size, size, 3))).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / name / f"{index:03d}.png")
    return root


@pytest.fixture
def reals(folders):
    return str(folders / "reals")


@pytest.fixture
def fakes(folders):
    return str(folders / "fakes")


def values(result):
    return {one.metric: (one.value, one.standard_error, one.protocol) for one in result.results}


@pytest.mark.slow
def test_a_reference_made_once_gives_what_the_folder_gives(reals, fakes, tmp_path):
    metrics = ("fid,kid", "ms_ssim")
    made = stats(Stats(source=reals, out=tmp_path / "ref.npz", metrics=metrics, **LOOK))
    assert (made.n, made.metrics, made.skipped) == (40, ["fid", "kid", "ms_ssim"], {})
    assert made.protocols["fid"].startswith("untrained@")
    from_folder = measure(Measure(a=fakes, b=reals, n=40, metrics=metrics, **LOOK))
    from_file = measure(Measure(a=fakes, ref=tmp_path / "ref.npz", metrics=metrics, **LOOK))
    as_b = measure(Measure(a=fakes, b=str(tmp_path / "ref.npz"), metrics=metrics, **LOOK))
    assert values(from_folder) == values(from_file) == values(as_b)
    assert (from_file.n, from_file.n_reals, from_file.reals) == (40, 40, from_folder.reals)


@pytest.mark.slow
def test_both_sides_may_be_files_and_no_network_is_needed(reals, fakes, tmp_path, monkeypatch):
    for source, out in ((reals, "ref.npz"), (fakes, "fakes.npz")):
        stats(Stats(source=source, out=tmp_path / out, metrics=("fid,kid",), **LOOK))
    expected = measure(Measure(a=fakes, b=reals, n=40, metrics=("fid,kid",), **LOOK))
    monkeypatch.setattr("ganvas.features.network_catalogue.load", None)
    found = measure(Measure(a=str(tmp_path / "fakes.npz"), ref=tmp_path / "ref.npz", metrics=("fid,kid",), quiet=True))
    assert values(found) == values(expected)


def test_what_another_tool_wrote_is_compared_with_a_note(reals, fakes, tmp_path):
    stats(Stats(source=reals, out=tmp_path / "ref.npz", **LOOK))
    with np.load(tmp_path / "ref.npz") as read:
        np.savez(tmp_path / "other.npz", mu=read["mu"], sigma=read["sigma"])
    own = measure(Measure(a=fakes, ref=tmp_path / "ref.npz", metrics=("fid",), **LOOK))
    other = measure(Measure(a=fakes, ref=tmp_path / "other.npz", metrics=("fid",), **LOOK))
    assert other.results[0].value == pytest.approx(own.results[0].value, rel=1e-9)
    assert "ref=foreign:" in other.results[0].protocol
    assert "does not say of which network" in other.notes[0]
    assert (own.notes, other.n_reals) == ([], None)


def test_an_adm_batch_gives_moments_and_pictures(reals, fakes, folders, tmp_path):
    stats(Stats(source=reals, out=tmp_path / "ref.npz", **LOOK))
    files = sorted((folders / "reals").iterdir())
    pictures = np.stack([np.asarray(Image.open(path)) for path in files])
    with np.load(tmp_path / "ref.npz") as read:
        np.savez(tmp_path / "VIRTUAL.npz", mu=read["mu"], sigma=read["sigma"], arr_0=pictures)
    found = measure(Measure(a=fakes, ref=tmp_path / "VIRTUAL.npz", metrics=("fid,kid",), n=40, **LOOK))
    expected = measure(Measure(a=fakes, b=reals, metrics=("fid,kid",), n=40, **LOOK))
    assert [one.value for one in found.results] == pytest.approx([one.value for one in expected.results], rel=1e-6)


@pytest.mark.slow
def test_all_metrics_leave_out_those_that_cannot_be_and_say_why(reals, fakes, monkeypatch, tmp_path):
    for name in ("INCEPTION", "DINOV2", "CLIP", "VGG16"):
        monkeypatch.delenv(f"GANVAS_WEIGHTS_{name}", raising=False)
    found = measure(Measure(a=fakes, b=reals, metrics=("all",), n=20, quiet=True))
    assert {"swd", "ms_ssim"} <= {one.metric for one in found.results}
    assert {"fid", "kid"} <= set(found.skipped)
    assert "--weights" in found.skipped["fid"]
    json.dumps(found.skipped)
    with pytest.raises(UserError, match="--weights"):
        measure(Measure(a=fakes, b=reals, metrics=("fid",), n=20, quiet=True))


@pytest.mark.slow
def test_with_a_network_all_metrics_of_features_join(reals, fakes):
    found = measure(Measure(a=fakes, b=reals, metrics=("all",), n=20, **LOOK))
    assert {"swd", "ms_ssim", "fid", "kid", "inception_score"} <= {one.metric for one in found.results}
    assert found.floor
    paired = {"ssim", "psnr"}  # A second draw of reals has no partners.
    alone = {one.metric for one in found.results if one.metric.partition(".")[0] not in paired}
    assert {one.metric for one in found.floor} == alone


def test_one_folder_alone_is_measured_by_what_needs_no_reference(fakes):
    found = measure(Measure(a=fakes, metrics=("inception_score",), **LOOK))
    assert ([one.metric for one in found.results], found.b, found.n) == (["inception_score"], "", 40)
    with pytest.raises(UserError, match="compares with real pictures"):
        measure(Measure(a=fakes, metrics=("inception_score", "kid"), **LOOK))


def test_a_second_measurement_does_not_look_again(reals, fakes, monkeypatch):
    from ganvas.features import untrained

    task = Measure(a=fakes, b=reals, n=20, seed=11, metrics=("kid",), **LOOK)
    first = measure(task)

    def looks(self, pictures, taps):
        raise ZeroDivisionError

    monkeypatch.setattr(untrained.Untrained, "extract", looks)
    assert values(measure(task)) == values(first)
    with pytest.raises(ZeroDivisionError):
        measure(Measure(a=fakes, b=reals, n=20, seed=11, metrics=("kid",), no_cache=True, **LOOK))


def test_a_file_of_another_seed_or_network_is_refused(reals, fakes, tmp_path):
    # Rows are rows, whatever the seed; what was chosen at random from the pictures is not.
    stats(Stats(source=reals, out=tmp_path / "ref.npz", metrics=("kid,ms_ssim",), seed=4, **LOOK))
    measure(Measure(a=fakes, ref=tmp_path / "ref.npz", metrics=("kid",), **LOOK))
    with pytest.raises(UserError, match="seed 4"):
        measure(Measure(a=fakes, ref=tmp_path / "ref.npz", metrics=("ms_ssim",), **LOOK))
    np.savez(tmp_path / "wide.npz", mu=np.zeros(7), sigma=np.eye(7))
    with pytest.raises(UserError, match="another network"):
        measure(Measure(a=fakes, ref=tmp_path / "wide.npz", metrics=("fid",), **LOOK))


@pytest.mark.parametrize("n", [0, -4])
def test_numbers_that_cannot_be_are_named(reals, fakes, n, tmp_path):
    with pytest.raises(UserError, match=rf"-n {n}: the number of pictures must be at least 1"):
        measure(Measure(a=fakes, b=reals, n=n, quiet=True))
    with pytest.raises(UserError, match=rf"-n {n}: the number of pictures must be at least 1"):
        stats(Stats(source=reals, out=tmp_path / "x.npz", n=n, quiet=True))


def test_more_pictures_than_there_are_cannot_be_written(reals, tmp_path):
    with pytest.raises(UserError, match=r"has 40 pictures, and 41 are asked for. Ask for fewer: --n 40"):
        stats(Stats(source=reals, out=tmp_path / "x.npz", n=41, **LOOK))
    assert not (tmp_path / "x.npz").exists()


def test_something_else_at_the_place_of_the_file_is_left_alone(reals, tmp_path):
    (tmp_path / "mine.npz").write_text("mine")
    with pytest.raises(UserError, match="is not a file of statistics"):
        stats(Stats(source=reals, out=tmp_path / "mine.npz", **LOOK))
    assert (tmp_path / "mine.npz").read_text() == "mine"
    with pytest.raises(UserError, match=r"Name it ref.npz"):
        stats(Stats(source=reals, out=tmp_path / "ref", **LOOK))


def test_b_and_ref_together_are_one_too_many(reals, fakes):
    with pytest.raises(UserError, match="Leave one of them out"):
        measure(Measure(a=fakes, b=reals, ref=Path("ref.npz"), quiet=True))


def test_a_file_of_weights_must_belong_to_a_network(fakes, reals, tmp_path):
    from ganvas.metrics.accumulators.feature_networks import Chosen, weights_by_network

    (tmp_path / "w.pth").write_bytes(b"")
    file = str(tmp_path / "w.pth")

    def given(*weights, metrics=("fid", "kid"), **how):
        return weights_by_network(Chosen(weights=weights, **how), metrics)

    assert given(file) == {"inception": Path(file)}
    assert given(f"inception={file}", metrics=("fid", "fd_dinov2")) == {"inception": Path(file)}
    with pytest.raises(UserError, match=r"not said whose it is.*Say it as dinov2=FILE"):
        given(file, metrics=("fid", "fd_dinov2"))
    with pytest.raises(UserError, match="vgg is not among the networks"):
        given(f"vgg={file}")
    with pytest.raises(UserError, match="none of the metrics looks through a network"):
        given(file, metrics=("swd",))


def test_a_file_of_weights_that_cannot_be_ends_all(fakes, reals, tmp_path):
    (tmp_path / "w.pth").write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"w\.pth"):
        measure(Measure(a=fakes, b=reals, metrics=("all",), weights=(f"inception={tmp_path / 'w.pth'}",), quiet=True))


def test_a_metric_bound_to_its_network_keeps_it(monkeypatch):
    from ganvas.metrics.accumulators.feature_networks import Chosen
    from ganvas.metrics.measuring import metric_catalogue

    chosen = Chosen(features="untrained")
    assert (chosen.name_for("fid"), chosen.name_for("swd")) == ("untrained", None)
    monkeypatch.setattr(metric_catalogue.load("fid"), "FIXED", True, raising=False)
    assert chosen.name_for("fid") == "inception"


def test_a_model_s_pictures_are_drawn_once_where_one_goes_on_after_another():
    import torch

    from ganvas.tasks.measuring.sides import SequentialDraw

    asked = []

    def sample(n, start):
        asked.append((n, start))
        yield from torch.arange(start, n).split(7)

    drawn = SequentialDraw(sample)
    first = torch.cat(list(drawn(0, 10, 20))).tolist()
    second = torch.cat(list(drawn(10, 20, 20))).tolist()
    assert (first, second, asked) == (list(range(10)), list(range(10, 20)), [(20, 0)])
    assert torch.cat(list(drawn(5, 9, 20))).tolist() == [5, 6, 7, 8]
    assert asked == [(20, 0), (20, 5)]


def test_the_module_needs_no_torch():
    import subprocess
    import sys

    code = "import sys, ganvas.tasks.stats; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_file_in_the_place_of_pictures_keeps_its_own_number(reals, fakes, tmp_path):
    stats(Stats(source=fakes, out=tmp_path / "a.npz", metrics=("fid",), **LOOK))
    found = measure(Measure(a=str(tmp_path / "a.npz"), b=reals, metrics=("fid",), **LOOK))
    assert (found.n, found.results[0].n) == (40, 40)
    stats(Stats(source=reals, out=tmp_path / "b.npz", n=30, metrics=("fid",), **LOOK))
    found = measure(Measure(a=str(tmp_path / "a.npz"), b=str(tmp_path / "b.npz"), metrics=("fid",), **LOOK))
    assert (found.n, found.n_reals, found.results[0].n) == (40, 30, 40)
    with pytest.raises(UserError, match="of 40 pictures: -n 20 cannot choose among them"):
        measure(Measure(a=str(tmp_path / "a.npz"), b=reals, n=20, metrics=("fid",), **LOOK))


def test_a_reference_that_does_not_say_its_number_is_noted(reals, fakes, tmp_path):
    stats(Stats(source=reals, out=tmp_path / "ref.npz", **LOOK))
    with np.load(tmp_path / "ref.npz") as read:
        np.savez(tmp_path / "other.npz", mu=read["mu"], sigma=read["sigma"])
    found = measure(Measure(a=fakes, ref=tmp_path / "other.npz", metrics=("fid",), **LOOK))
    assert any("does not say of how many pictures" in note for note in found.notes)
    assert ":reals-unknown:" in found.results[0].protocol


@pytest.mark.slow
def test_what_was_done_to_the_pictures_first_is_noted_and_in_the_protocol(reals, fakes, tmp_path):
    made = stats(Stats(source=reals, out=tmp_path / "ref.npz", size="8", **LOOK))
    how = {"metrics": ("fid",), "ref": tmp_path / "ref.npz", **LOOK}
    crop, again, stretch = (
        measure(Measure(a=fakes, size="8", fit=fit, **how)) for fit in ("refuse", "crop", "stretch")
    )
    said = "pictures were treated first (box). Compare with values of the same treatment."
    assert made.notes == [f"{reals}: {said}"]
    assert crop.notes == [f"{fakes}: {said}", f"{tmp_path / 'ref.npz'}: {said}"]
    assert ":of-8x8x3:treated=box:ref=" in crop.results[0].protocol
    # Pictures of the same shape are neither cropped nor stretched: whatever was asked, one thing was done.
    assert crop.results == again.results == stretch.results


@pytest.mark.slow
def test_values_of_pictures_that_were_treated_otherwise_do_not_compare(reals, tmp_path):
    (tmp_path / "wide").mkdir()
    for i in range(40):
        noise = np.random.default_rng(i).integers(0, 256, (16, 24, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "wide" / f"{i}.png")
    how = {"a": str(tmp_path / "wide"), "b": reals, "metrics": ("fid",), "size": "16", **LOOK}
    crop, pad = (measure(Measure(fit=fit, **how)) for fit in ("crop", "pad"))
    assert ":treated=crop:" in crop.results[0].protocol
    assert ":treated=lanczos+on-#ffffff+pad:" in pad.results[0].protocol
    with pytest.raises(UserError, match="measured in two ways"):
        difference(crop.results[0], pad.results[0])
    assert [one.protocol for one in crop.floor] == [one.protocol for one in crop.results]  # They stand side by side.


def test_pictures_of_another_size_than_those_of_the_file_are_refused(reals, fakes, tmp_path):
    stats(Stats(source=reals, out=tmp_path / "ref.npz", **LOOK))
    with pytest.raises(UserError, match=r"of the file: --size 16x16\."):
        measure(Measure(a=fakes, ref=tmp_path / "ref.npz", metrics=("fid",), size="8", **LOOK))
    stats(Stats(source=reals, out=tmp_path / "small.npz", size="8", channels=1, **LOOK))
    with pytest.raises(UserError, match=r"of the file: --size 8x8 --channels 1\."):
        measure(Measure(a=fakes, ref=tmp_path / "small.npz", metrics=("fid",), **LOOK))
    with pytest.raises(UserError, match=r"stats FOLDER -o .*small.npz --size 16x16 --channels 3\."):
        measure(Measure(a=str(tmp_path / "small.npz"), ref=tmp_path / "ref.npz", metrics=("fid",), **LOOK))


def test_two_backgrounds_are_noted(tmp_path):
    (tmp_path / "seen").mkdir()
    for i in range(40):
        noise = np.random.default_rng(i).integers(0, 256, (16, 16, 4), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "seen" / f"{i:02d}.png")
    how = {"metrics": ("fid",), "ref": tmp_path / "ref.npz", **LOOK}
    stats(Stats(source=str(tmp_path / "seen"), out=tmp_path / "ref.npz", background="black", **LOOK))
    found = measure(Measure(a=str(tmp_path / "seen"), **how))
    assert any("lies on #ffffff and" in note and "on #000000: part of the value" in note for note in found.notes)
    alike = measure(Measure(a=str(tmp_path / "seen"), background="black", **how))
    assert not any("part of the value" in note for note in alike.notes)


def test_files_that_were_left_out_are_named(reals, fakes, tmp_path):
    shutil.copytree(fakes, tmp_path / "some")
    (tmp_path / "some" / "0broken.png").write_bytes(b"no picture")
    found = measure(Measure(a=str(tmp_path / "some"), b=reals, metrics=("fid",), broken="skip", **LOOK))
    assert f"{tmp_path / 'some'}: a file that cannot be read was left out (0broken.png)." in found.notes
