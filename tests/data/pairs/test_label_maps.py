"""Label maps and pairs: what files hold, which belong together, and what is refused by name."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.pairs.label_maps import UNKNOWN, PackedLabelMaps, holds_masks, prepare_label_maps
from ganvas.data.pairs.pairing import matched_rows, require_equal_sizes, stem_of
from ganvas.data.pictures import decode_numbers
from ganvas.data.scenes.scenes import MASK_NAMES, Scenes

NUMBERS = np.random.default_rng(0).integers(0, 5, (6, 7), dtype=np.uint8)


def encoded(image, form="PNG"):
    buffer = io.BytesIO()
    image.save(buffer, format=form)
    return buffer.getvalue()


def paletted(numbers):
    image = Image.frombytes("P", numbers.shape[::-1], numbers.tobytes())
    image.putpalette(np.random.default_rng(1).integers(0, 256, 768, dtype=np.uint8).tobytes())
    return image


def test_palettes_levels_of_grey_and_grey_in_colour_are_read_as_numbers():
    forms = [paletted(NUMBERS), Image.fromarray(NUMBERS), Image.fromarray(NUMBERS).convert("RGB")]
    forms += [Image.fromarray(NUMBERS).convert("RGBA"), Image.fromarray(NUMBERS.astype(np.uint16))]
    assert all((decode_numbers(encoded(image)) == NUMBERS).all() for image in forms)


def test_levels_of_few_bits_are_not_stretched():
    import struct
    import zlib

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 4, 1, 2, 0, 0, 0, 0)  # Four pixels of two bits: 0, 1, 2, 3.
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\x1b")) + chunk(b"IEND", b"")
    assert decode_numbers(data).tolist() == [[0, 1, 2, 3]]


@pytest.mark.parametrize(
    ("image", "form", "said"),
    [
        (Image.new("RGB", (4, 4), (255, 0, 0)), "PNG", "is in colour"),
        (Image.new("L", (4, 4), 3), "JPEG", "is a JPEG"),
        (Image.fromarray(np.full((3, 3), 700, np.uint16)), "PNG", "the label 700"),
    ],
)
def test_what_holds_no_numbers_of_classes_is_refused_with_the_reason(image, form, said):
    with pytest.raises(BrokenPicture, match=said):
        decode_numbers(encoded(image, form))


def test_maps_of_files_are_packed_by_name_with_how_often_each_number_occurs(tmp_path):
    for name, numbers in (("b", NUMBERS), ("a", NUMBERS[::-1])):
        paletted(np.ascontiguousarray(numbers)).save(tmp_path / f"{name}.png")
    maps = prepare_label_maps(str(tmp_path), size=(6, 7), quiet=True)
    assert maps.names == ["a.png", "b.png"]
    assert (maps.read([1])[0] == NUMBERS).all()
    assert maps.counts[:5].tolist() == (2 * np.bincount(NUMBERS.reshape(-1), minlength=5)).tolist()


def test_a_smaller_map_takes_classes_of_centres_and_padding_is_unknown(tmp_path):
    numbers = np.kron(np.array([[1, 2], [3, 4]], np.uint8), np.ones((4, 4), np.uint8))
    Image.fromarray(numbers).save(tmp_path / "a.png")
    assert prepare_label_maps(str(tmp_path), size=(2, 2), quiet=True).read([0])[0].tolist() == [[1, 2], [3, 4]]
    padded = prepare_label_maps(str(tmp_path), size=(2, 4), fit="pad", quiet=True)
    assert padded.read([0])[0].tolist() == [[UNKNOWN, 1, 2, UNKNOWN], [UNKNOWN, 3, 4, UNKNOWN]]


def test_scenes_hold_their_own_masks():
    assert holds_masks("scenes:3")
    maps = prepare_label_maps("scenes:3,8x8", size=(8, 8), quiet=True)
    assert (maps.read(slice(0, 3)) == Scenes(8, 8, count=3).pictures(0, 3)[1]).all()
    assert maps.class_names == MASK_NAMES


def test_a_broken_map_is_refused_or_left_out_by_name(tmp_path):
    paletted(NUMBERS).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"b\.png"):
        prepare_label_maps(str(tmp_path), size=(6, 7), quiet=True)
    kept = prepare_label_maps(str(tmp_path), size=(6, 7), broken="skip", quiet=True)
    assert (kept.names, kept.broken) == (["a.png"], ("b.png",))


@pytest.mark.parametrize(("field", "value"), [("counts", [1, 2]), ("class_names", [3]), ("broken", None)])
def test_a_pack_whose_manifest_says_nonsense_is_refused(tmp_path, field, value):
    folder = prepare_label_maps("scenes:3,8x8", size=(8, 8), cache=tmp_path, quiet=True).folder
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {field: value}))
    with pytest.raises(UserError, match=rf"manifest.json is damaged \({field}\)"):
        PackedLabelMaps.open(folder)


def test_pairs_are_found_by_names_without_endings_in_the_order_of_the_first():
    rows = matched_rows(["x", "a-b", "a"], ["a", "a-b", "x"], specs=("p", "m"))
    assert [row.tolist() for row in rows] == [[0, 1, 2], [2, 1, 0]]
    assert stem_of("photos/a.b/1.2.jpg", "photos") == "a.b/1.2"


def test_pictures_without_a_partner_and_doubles_are_named():
    with pytest.raises(UserError, match=r"1 of 3 pictures of p .* in m: c"):
        matched_rows(["a", "b", "c"], ["a", "b"], specs=("p", "m"))
    with pytest.raises(UserError, match=r"1 of 3 pictures of m .* in p: c"):
        matched_rows(["a", "b"], ["a", "b", "c"], specs=("p", "m"))
    with pytest.raises(UserError, match="two files named a"):
        matched_rows(["a", "a"], ["a"], specs=("p", "m"))
    rows = matched_rows(["a", "b"], ["b"], specs=("p", "m"), may_lack=frozenset({"a"}))
    assert [row.tolist() for row in rows] == [[1], [0]]


def test_a_pair_of_two_sizes_is_named(tmp_path):
    for folder, size in (("p", (4, 4)), ("m", (4, 5))):
        (tmp_path / folder).mkdir()
        Image.new("L", size).save(tmp_path / folder / "one.png")
    with pytest.raises(UserError, match=r"one is 4x4 in .* and 5x4 in"):
        require_equal_sizes(str(tmp_path / "p"), str(tmp_path / "m"))
