import numpy as np
import pytest
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.metrics.measuring import metric_catalogue
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.stats import Stats, stats

QUIET = {"quiet": True}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Makes a folder of random pictures, each with its number on top of a shift, under names of its own."""
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def make(name, *, files, shift=0, seed=0):
        (tmp_path / name).mkdir()
        for index, file in enumerate(files):
            random = np.random.default_rng([seed, index])
            pixels = random.integers(20, 200, (16, 16, 3)) + shift
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / name / file)
        return str(tmp_path / name)

    return make


def names(n, form="{:03d}.png"):
    return [form.format(index) for index in range(n)]


def values(found):
    return {one.metric: one.value for one in found.results}


def test_every_picture_is_compared_with_its_partner_however_many_are_drawn(folder):
    a, b = folder("a", files=names(30), shift=5), folder("b", files=names(30))
    for n in (None, 7):
        found = measure(Measure(a=a, b=b, metrics=("psnr",), n=n, seed=3, **QUIET))
        # Five levels everywhere, of every pair that was drawn; any other pairing is some 10 dB.
        assert values(found)["psnr"] == pytest.approx(20 * np.log10(255 / 5), rel=1e-12)
        assert (found.n, found.floor) == (n or 30, [])  # All of them: there is no floor to leave any for.
    assert "compared with that of its name" in found.notes[0]


def test_beside_other_metrics_pairs_stay_pairs_and_have_no_floor(folder):
    a, b = folder("a", files=names(40), shift=5), folder("b", files=names(40))
    found = measure(Measure(a=a, b=b, metrics=("ssim,ms_ssim,psnr",), **QUIET))
    assert found.n == 20
    assert values(found)["psnr"] == pytest.approx(20 * np.log10(255 / 5), rel=1e-12)
    assert {one.metric for one in found.floor} == {"ms_ssim", "ms_ssim.real"}
    assert {row.metric: row.beside for row in found.rows()}["ssim"] == "–"


def test_files_of_other_names_are_paired_in_their_order_and_that_is_said(folder):
    a, b = folder("a", files=names(9, "fake-{:02d}.png"), shift=5), folder("b", files=names(9, "real-{:02d}.png"))
    found = measure(Measure(a=a, b=b, metrics=("psnr",), **QUIET))
    assert values(found)["psnr"] == pytest.approx(20 * np.log10(255 / 5), rel=1e-12)
    assert "names differ" in found.notes[0]
    assert "in their order: fake-00 with real-00, and so on to fake-08 with real-08." in found.notes[0]


def test_numbers_without_leading_zeros_are_not_paired_with_those_that_have_them(folder):
    """Names are sorted 0, 1, 10, 11, 2, ...: an order that no person means."""
    a, b = folder("a", files=names(12, "out{}.png"), shift=5), folder("b", files=names(12, "real-{:02d}.png"))
    with pytest.raises(UserError, match=r"picture 3 is out10 in .* and real-02 in .*another order"):
        measure(Measure(a=a, b=b, metrics=("psnr",), **QUIET))
    c = folder("c", files=names(12, "target{}.png"))
    assert values(measure(Measure(a=a, b=c, metrics=("psnr",), **QUIET)))["psnr"] > 0  # One order on both sides.
    one = folder("d", files=["2024-a7.png", "2024-b7.png"])  # Numbers of something else say nothing.
    two = folder("e", files=["x1.png", "y2.png"])
    assert measure(Measure(a=one, b=two, metrics=("psnr",), **QUIET)).n == 2


def test_endings_do_not_part_pairs(folder):
    a, b = folder("a", files=names(6), shift=5), folder("b", files=names(6, "{:03d}.bmp"))
    found = measure(Measure(a=a, b=b, metrics=("psnr",), **QUIET))
    assert "compared with that of its name" in found.notes[0]


def test_a_name_at_two_places_is_refused(folder):
    a, b = folder("a", files=["x.png", "y.png", "z.png"]), folder("b", files=["w.png", "x.png", "y.png"])
    with pytest.raises(UserError, match=r"Structural similarity: .*picture 1 is x in .* and w in"):
        measure(Measure(a=a, b=b, metrics=("ssim",), **QUIET))


def test_unlike_numbers_and_files_of_statistics_have_no_pairs(folder, tmp_path, monkeypatch):
    a, b = folder("a", files=names(20)), folder("b", files=names(21))
    with pytest.raises(UserError, match=r"has 20 pictures where .* has 21"):
        measure(Measure(a=a, b=b, metrics=("psnr",), **QUIET))
    monkeypatch.setattr(metric_catalogue, "names", lambda: ["ms_ssim", "psnr", "ssim"])
    made = stats(Stats(source=b, out=tmp_path / "ref.npz", metrics=("all",), **QUIET))
    assert "pair by pair" in made.skipped["ssim"]
    with pytest.raises(UserError, match="is a file of statistics"):
        measure(Measure(a=a, ref=tmp_path / "ref.npz", metrics=("psnr",), **QUIET))
    with pytest.raises(UserError, match="pair by pair"):
        stats(Stats(source=b, out=tmp_path / "other.npz", metrics=("psnr",), **QUIET))
    with pytest.raises(UserError, match="Give the real pictures as well"):
        measure(Measure(a=a, metrics=("ssim",), **QUIET))


@pytest.mark.slow
def test_all_takes_pairs_only_where_names_say_that_there_are_some(folder, monkeypatch):
    monkeypatch.setattr(metric_catalogue, "names", lambda: ["ms_ssim", "psnr", "ssim"])
    a, b = folder("a", files=names(20)), folder("b", files=names(20), seed=1)
    other, more = folder("c", files=names(20, "x{:03d}.png")), folder("d", files=names(30))
    assert {"psnr", "ssim", "ms_ssim"} <= set(values(measure(Measure(a=a, b=b, metrics=("all",), **QUIET))))
    for source, said in ((other, "Ask for it by name"), (more, "has 20 pictures where")):
        found = measure(Measure(a=a, b=source, metrics=("all",), **QUIET))
        assert set(found.skipped) == {"psnr", "ssim"}
        assert said in found.skipped["ssim"]


def test_what_a_run_draws_has_no_partners():
    from ganvas.tasks.measuring.pairs import why_not
    from ganvas.tasks.measuring.sides import Side

    run = Side(spec="runs/x", shape=(16, 16, 3), count=None)
    source = Side(spec="targets", shape=(16, 16, 3), count=9, names=lambda: None)
    for sides in ((run, source), (source, run)):
        assert "runs/x makes its pictures anew" in why_not(*sides, asked=True)
    assert why_not(source, source, asked=True) is None
    assert "Names do not say" in why_not(source, source, asked=False)


def test_the_module_needs_no_torch():
    import subprocess
    import sys

    code = "import sys, ganvas.tasks.measuring.pairs; assert not {'torch', 'numpy', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
