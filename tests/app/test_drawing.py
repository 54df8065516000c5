"""Walk and Paint: what is drawn of a place and of strokes, and that the command line draws the same bits."""

import io
import json
import threading
import time

import numpy as np
import pytest
from PIL import Image

from ganvas.app.access import Access
from ganvas.app.answers.drawing_questions import draw, keep_painting, show_easel, show_neighbours
from ganvas.app.studio import studio_of
from ganvas.app.views import neighbours
from ganvas.app.worker import Overtaken, Worker
from ganvas.core.errors import UserError
from ganvas.tasks.pictures.paint import PaintTask, paint

HERE = {"run": "tiny", "tab": "a", "x": 3, "y": 2}


@pytest.fixture(scope="module")
def board(trained_root):
    return studio_of(trained_root, Access(port=1))


@pytest.fixture(scope="module")
def easel(board):
    return board.worker.ask("test", lambda models: models.easel(board.shelf.run("tiny"), None))


@pytest.fixture(scope="module")
def layer(easel):
    return easel.layers[-1]


def drawn(board, **given):
    return np.asarray(Image.open(io.BytesIO(draw(board, HERE | given).data)))


def stroke(place, **changes):
    return {"layer": place.name, "units": list(range(place.units)), "cells": [[0, 0], [0, 1]], **changes}


def test_a_place_of_whole_numbers_is_the_picture_of_a_seed(board, trained_root):
    from ganvas.train import trained

    of_seed = trained.load(trained_root / "tiny").sample(1, seed=2003).bytes[0]
    assert np.abs(drawn(board).astype(int) - of_seed).max() <= 1  # Batches of another size may round otherwise.
    assert (drawn(board, x=1003, y=-998) == drawn(board)).all()  # The lattice goes round.


def test_the_nearest_pictures_stand_beside_as_many_that_were_held_out(board, trained_root):
    shown = show_neighbours(board, HERE)["html"]
    assert "is the nearest of 32 of either kind" in shown
    assert f"ganvas memorisation {trained_root / 'tiny'}" in shown
    reals = board.worker.ask("test", lambda models: models.neighbourhood(board.shelf.run("tiny"))).seen
    again = neighbours.Neighbourhood(seen=reals, unseen=None, why_none="Nothing was held out.")
    told = neighbours.neighbours_view(reals[5].numpy(), again, "ganvas memorisation")
    assert "Nearest training pictures, at 0, " in told
    assert "Nothing was held out." in told


def test_between_two_seeds_the_latent_stands_on_the_arc_between_theirs(easel):
    from ganvas.app.easel import LatticePoint

    a, b, middle = (easel.latent(LatticePoint(x=x, y=2)) for x in (3, 4, 3.5))
    cosines = [float(middle @ one / middle.norm() / one.norm()) for one in (a, b)]
    whole = float(a @ b / a.norm() / b.norm())
    assert cosines == pytest.approx([((1 + whole) / 2) ** 0.5] * 2, abs=1e-5)  # Half of the angle from either.
    assert float(middle.norm()) == pytest.approx(float(a.norm() + b.norm()) / 2, rel=1e-5)


def test_a_step_goes_along_a_direction_of_length_one(easel):
    from ganvas.app.easel import LatticePoint

    moved = easel.latent(LatticePoint(x=3, y=2, steps=[0, 2.5])) - easel.latent(LatticePoint(x=3, y=2))
    assert float(moved.norm()) == pytest.approx(2.5, rel=1e-5)
    assert float(moved @ easel.directions[1].float()) == pytest.approx(2.5, rel=1e-5)


def test_a_stroke_of_no_strength_or_no_cells_changes_no_bit(board, layer):
    plain = drawn(board)
    assert (drawn(board, strokes=[stroke(layer, strength=0.0)]) == plain).all()
    assert (drawn(board, strokes=[stroke(layer, cells=[])]) == plain).all()


def test_a_stroke_changes_the_picture_where_it_is(board, layer):
    changed = (drawn(board, strokes=[stroke(layer, erases=True)]) != drawn(board)).any(-1)
    assert changed[: layer.size[0] // 2, : layer.size[1] // 2].any()
    assert not changed[-1].any()  # The last layer's cells reach their neighbours and no further.


def test_painting_sets_units_to_what_they_say_most_and_erasing_to_nothing(easel, layer):
    painted = easel.stroke(layer.name, [0, 3], [[0, 0]], strength=1.0, erases=False)
    erased = easel.stroke(layer.name, [0, 3], [[0, 0]], strength=1.0, erases=True)
    assert erased["values"] == [0.0, 0.0]
    maps = [m[layer.name] for _, m in easel.painter.subject.seen(64, of="ranking", keep=[layer])]
    above = [
        float((maps[0][:, unit] > value).float().mean()) for unit, value in zip([0, 3], painted["values"], strict=True)
    ]
    assert above == pytest.approx([0.005, 0.005], abs=0.001)


def test_what_was_painted_is_drawn_again_to_the_bit_by_the_command_line(board, trained_root, layer, tmp_path):
    strokes = [stroke(layer, units=[1, 2], strength=0.7), stroke(layer, units=[0], cells=[[1, 1]], erases=True)]
    given = {"x": 3.25, "y": 2.75, "steps": [1.5, -0.5], "strokes": strokes}
    kept = keep_painting(board, HERE | given)
    (tmp_path / "painting.json").write_text(json.dumps(kept["painting"]))
    out = tmp_path / "picture.png"
    result = paint(PaintTask(run=trained_root / "tiny", painting=tmp_path / "painting.json", out=out))
    assert (np.asarray(Image.open(out)) == drawn(board, **given)).all()
    assert (result.model, result.strokes) == ("gan/progan", 2)
    assert kept["command"].startswith("ganvas paint ")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"fingerprint": "sha256:" + "0" * 64}, "Name that run"),
        ({"model": "gan/dcgan"}, "Name that run"),
        ({"latent": [0.0]}, "The latent has 1 numbers"),
        ({"strokes": [{"layer": "#99999", "units": [], "values": [], "strength": 1.0, "cells": []}]}, "#99999"),
        ({"strokes": 3}, "strokes"),
        ({"truncation": 0.7}, "(?i)truncat"),
        ({"label": 1}, "without labels"),
        ({"kimg": 3.0}, "keeps no model at 3 kimg"),
    ],
)
def test_a_painting_that_does_not_fit_is_refused(board, trained_root, tmp_path, changes, told):
    painting = keep_painting(board, HERE)["painting"] | changes
    (tmp_path / "painting.json").write_text(json.dumps(painting))
    task = PaintTask(run=trained_root / "tiny", painting=tmp_path / "painting.json", out=tmp_path / "x.png")
    with pytest.raises(UserError, match=told):
        paint(task)
    assert not (tmp_path / "x.png").exists()


def test_a_painting_that_is_not_there_or_no_png_is_refused(tmp_path):
    with pytest.raises(UserError, match="no file"):
        paint(PaintTask(run=tmp_path, painting=tmp_path / "none.json", out=tmp_path / "x.png"))
    with pytest.raises(UserError, match=r"written as \.png"):
        paint(PaintTask(run=tmp_path, painting=tmp_path / "none.json", out=tmp_path / "x.jpg"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cells": [[0, 99]]}, "has no cell"),
        ({"cells": [[-1, 0]]}, "'cell' must be"),
        ({"cells": [[0]]}, "row and a column"),
        ({"units": [99]}, "has the units 0 to"),
        ({"units": []}, "name some of them"),
        ({"units": ["x"]}, "'unit' must be"),
        ({"layer": "nowhere"}, "nowhere"),
        ({"strength": 2}, "strength from 0 to 1"),
        ({"cells": [[0, 0]] * 300}, "list of at most 256"),
    ],
)
def test_a_stroke_that_cannot_be_is_told(board, layer, changes, told):
    with pytest.raises(UserError, match=told):
        draw(board, HERE | {"strokes": [stroke(layer, **changes)]})


@pytest.mark.parametrize(
    "given", [{"x": "left"}, {"x": 1e9}, {"steps": [0] * 6}, {"strokes": 3}, {"strokes": [3]}, {"run": 3}]
)
def test_a_place_that_cannot_be_is_told(board, given):
    with pytest.raises(UserError):
        draw(board, HERE | given)


def test_a_page_learns_what_it_can_choose_from(board, trained_root):
    shown = show_easel(board, HERE)
    assert (shown["size"], shown["latents"], shown["truncates"], shown["labels"]) == ([8, 8], 8, False, [])
    assert len(shown["directions"]) == 5
    assert all(change > 0 for change in shown["directions"])
    assert all(one["grid"] == one["size"] for one in shown["layers"])
    assert (shown["brushes"], shown["command"]) == ([], f"ganvas dissect {trained_root / 'tiny'}")
    assert json.dumps(shown)


def test_brushes_are_the_unit_sets_of_the_dissection_that_take_their_label_away(board, trained_root, easel, layer):
    from ganvas.app.easel import easel_of
    from ganvas.core.run_folder import RunFolder

    def one(label, units, relative, error, by="effect"):
        return {"label": label, "units": units, "chosen_by": by,
                "effects": [{"label": label, "relative": relative, "relative_error": error}]}  # fmt: skip

    found = {"effect_layer": {"name": layer.name, "units": layer.units, "size": list(layer.size)}}
    found["sets"] = [one("sand", [1], -0.4, 0.05), one("tree", [2, 3], -0.9, 0.02), one("moon", [4], -0.5, 0.4)]
    found["sets"] += [
        one("sky", [5], 0.2, 0.01),
        one("", [6], -0.9, 0.1, by="random"),
        one("sun", [7], -0.8, 0.1, by="fit"),
    ]
    folder = trained_root / "tiny" / "dissection"
    folder.mkdir()
    try:
        (folder / "dissection.json").write_text(json.dumps(found))
        run = RunFolder(trained_root / "tiny")
        assert [(brush.name, brush.units, brush.gone) for brush in easel_of(run, None).brushes] == [
            ("tree", (2, 3), 0.9), ("sand", (1,), 0.4)]  # fmt: skip
        for harmed in (
            "{",
            "[]",
            json.dumps(found | {"sets": [3]}),
            json.dumps(found | {"effect_layer": {"name": "#3"}}),
        ):
            (folder / "dissection.json").write_text(harmed)
            assert easel_of(run, None).brushes == ()
    finally:
        (folder / "dissection.json").unlink()
        folder.rmdir()


def test_a_run_that_draws_points_or_has_no_model_is_told(tmp_path, write_run):
    write_run(tmp_path / "bare")
    with pytest.raises(UserError, match="no model yet"):
        show_easel(studio_of(tmp_path, Access(port=1)), {"run": "bare", "tab": "a"})


def begun(work, *given):
    """A thread that no test waits for at its end: one that is never answered must not hold the others up."""
    thread = threading.Thread(target=work, args=given, daemon=True)
    thread.start()
    return thread


def until(holds):
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_of_what_one_page_asks_for_only_the_newest_is_done():
    worker, busy, go_on, done, lost = Worker(), threading.Event(), threading.Event(), [], []

    def keep_busy(models):
        busy.set()
        go_on.wait()
        done.append("first")

    def ask(who, name):
        try:
            worker.ask(who, lambda models: done.append(name))
        except Overtaken:
            lost.append(name)

    threads = [begun(worker.ask, "page", keep_busy)]
    busy.wait()
    for who, name in [("page", "second"), ("other", "of another page"), ("page", "third"), ("page", "fourth")]:
        before = worker._waiting.get(who)
        threads.append(begun(ask, who, name))
        until(lambda who=who, before=before: worker._waiting.get(who) is not before)
    go_on.set()
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert done == ["first", "fourth", "of another page"]
    assert sorted(lost) == ["second", "third"]


def test_work_that_fails_fails_for_whoever_asked_and_the_next_goes_on():
    worker = Worker()
    with pytest.raises(ZeroDivisionError):
        worker.ask("page", lambda models: 1 / 0)
    assert worker.ask("page", lambda models: 3) == 3


def test_a_cell_of_a_large_layer_stands_for_a_square_of_its_cells():
    from ganvas.app.easel import _layer, _side, _square
    from ganvas.dissect.places import Place

    def of(*size):
        return Place(name="#1", label="", op="relu", call=0, units=4, size=size)

    assert [_side(of(*size)) for size in [(8, 8), (16, 12), (32, 32), (64, 48), (33, 32)]] == [1, 1, 2, 4, None]
    assert _layer(of(32, 16))["grid"] == [16, 8]
    assert _square(of(32, 32), [0, 1]) == [[0, 2], [0, 3], [1, 2], [1, 3]]
