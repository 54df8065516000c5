import json

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.packed import Packed
from ganvas.data.points import packed_points
from ganvas.data.points.mixtures import MIXTURES
from ganvas.data.points.packed_points import PackedPoints, pack_points, prepare_points

SPEC = "mixtures:grid25,500,seed=2"


def test_points_of_a_mixture_come_back_with_their_parts_and_their_law():
    packed = prepare_points(SPEC, quiet=True)
    points, labels = MIXTURES["grid25"].points(np.arange(500), seed=2)
    assert packed.read(slice(None)).tobytes() == points.tobytes()
    assert (packed.labels == labels).all()
    assert (len(packed), packed.dims, packed.mixture) == (500, 2, MIXTURES["grid25"])
    assert len(packed.class_names) == 25


def test_a_pack_is_made_once(monkeypatch):
    first = prepare_points(SPEC, quiet=True)
    monkeypatch.setattr(packed_points, "_write", lambda *_: pytest.fail("packed twice"))
    assert prepare_points(SPEC, quiet=True).folder == first.folder


def test_a_file_of_points_has_no_law_and_no_labels(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(6.0).reshape(3, 2))
    packed = prepare_points(str(tmp_path / "x.npy"), quiet=True)
    assert packed.read([2, 0]).tolist() == [[4, 5], [0, 1]]
    assert packed.mixture is None
    assert packed.labels is None


def test_the_fingerprint_is_of_the_points_alone(tmp_path):
    rows = MIXTURES["grid25"].points(np.arange(500), seed=2)[0]
    np.save(tmp_path / "a.npy", rows)
    np.save(tmp_path / "b.npy", rows.astype(np.float64))
    (tmp_path / "c.csv").write_text("\n".join(f"{x!r},{y!r}" for x, y in rows.astype(float).tolist()))
    prints = {prepare_points(str(tmp_path / name), quiet=True).fingerprint for name in ("a.npy", "b.npy", "c.csv")}
    assert len(prints) == 1
    np.save(tmp_path / "d.npy", rows[::-1])
    assert prepare_points(str(tmp_path / "d.npy"), quiet=True).fingerprint not in prints


def test_a_packed_folder_is_opened_as_it_is(tmp_path):
    packed = pack_points(SPEC, tmp_path / "packed")
    assert prepare_points(str(tmp_path / "packed"), quiet=True).folder == tmp_path / "packed"
    again = pack_points(str(tmp_path / "packed"), tmp_path / "again")
    assert again.fingerprint == packed.fingerprint
    assert again.mixture == packed.mixture
    with pytest.raises(UserError, match="is there already"):
        pack_points(SPEC, tmp_path / "packed")


def test_a_flipped_bit_is_noticed_and_a_pack_in_the_cache_is_made_again(tmp_path, capsys):
    for folder in (pack_points(SPEC, tmp_path / "packed").folder, prepare_points(SPEC, quiet=True).folder):
        data = bytearray((folder / "points.npy").read_bytes())
        data[-3] ^= 1
        (folder / "points.npy").write_bytes(data)
    with pytest.raises(UserError, match=r"points\.npy do not match"):
        prepare_points(str(tmp_path / "packed"), quiet=True)
    wanted = MIXTURES["grid25"].points(np.arange(500), seed=2)[0]
    assert (prepare_points(SPEC).read(slice(None)) == wanted).all()
    assert "packing again" in capsys.readouterr().err


def test_pictures_and_points_are_not_taken_for_each_other(tmp_path, folder):
    from ganvas.data.packing import pack

    pack_points(SPEC, tmp_path / "points")
    pack(str(folder), tmp_path / "packed pictures", quiet=True)
    with pytest.raises(UserError, match="holds points, and pictures are wanted"):
        Packed.open(tmp_path / "points")
    with pytest.raises(UserError, match="holds pictures, and points are wanted"):
        PackedPoints.open(tmp_path / "packed pictures")


@pytest.mark.parametrize(
    "changes", [{"mixture": "nonsense"}, {"mixture": ["grid25"]}, {"class_names": "ab"}, {"class_names": [1]}]
)
def test_a_manifest_of_odd_types_is_damage(tmp_path, changes):
    folder = pack_points(SPEC, tmp_path / "packed").folder
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | changes))
    with pytest.raises(UserError, match="damaged"):
        PackedPoints.open(folder)


def test_a_failure_leaves_nothing_behind(tmp_path):
    (tmp_path / "x.csv").write_text("1,2\n3,x\n")
    with pytest.raises(UserError):
        prepare_points(str(tmp_path / "x.csv"), cache=tmp_path / "cache", quiet=True)
    assert [path.suffix for path in (tmp_path / "cache" / "packs").iterdir()] == [".lock"]
