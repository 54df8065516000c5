"""Text from files: what is read, packed and surveyed, and what is refused by name."""

import gzip
import lzma

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.line_size import END, UNKNOWN, LineSize
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.text.alphabet import Alphabet
from ganvas.data.text.opening_text import is_text, open_text
from ganvas.data.text.packed_text import pack_text, prepare_text, survey_text, text_source_of
from ganvas.data.text.survey_text import survey_of

CHARACTERS = LineSize(length=4, alphabet=100, unit="characters")
WORDS = LineSize(length=3, alphabet=100, unit="words")


def written(folder, content, name="lines.txt"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_an_alphabet_has_the_most_frequent_tokens_first_and_leads_back_to_the_line(tmp_path):
    packed = prepare_text(written(tmp_path, "abba\nb\n"), CHARACTERS)
    assert packed.alphabet.tokens == ("b", "a")
    assert packed.read([0, 1]).tolist() == [[3, 2, 2, 3], [2, END, END, END]]
    assert packed.alphabet.decode(packed.read(slice(None))) == ["abba", "b"]


def test_a_line_that_is_longer_is_cut_and_counted_and_blank_ones_are_left_out(tmp_path):
    packed = prepare_text(written(tmp_path, "abcdef\n\n  \nab\r\nabcd"), CHARACTERS)
    assert packed.alphabet.decode(packed.read(slice(None))) == ["abcd", "ab", "abcd"]
    assert (packed.manifest["cut"], packed.manifest["blank"]) == (1, 2)


def test_words_stand_between_spaces_and_those_beyond_the_alphabet_are_unknown(tmp_path):
    source = written(tmp_path, "to be or\nnot  to be\n")
    packed = prepare_text(source, LineSize(length=3, alphabet=4, unit="words"))
    assert packed.alphabet.tokens == ("be", "to")
    assert packed.alphabet.decode(packed.read(slice(None))) == ["to be <unk>", "<unk> to be"]
    assert packed.manifest["unknown"] == 2


def test_held_out_lines_are_read_by_the_alphabet_of_others(tmp_path):
    packed = prepare_text(written(tmp_path, "az\nza\n"), CHARACTERS, alphabet=Alphabet(("a", "b"), "characters"))
    assert packed.read([0]).tolist() == [[2, UNKNOWN, END, END]]


def test_the_same_numbers_of_another_alphabet_are_another_text(tmp_path):
    one, other = (
        prepare_text(written(tmp_path, text, name), CHARACTERS) for name, text in (("1", "aab\nb"), ("2", "ccd\nd"))
    )
    assert np.array_equal(one.read([0, 1]), other.read([0, 1]))
    assert one.fingerprint != other.fingerprint


@pytest.mark.parametrize(("ending", "opened"), [(".gz", gzip.open), (".xz", lzma.open)])
def test_a_compressed_file_holds_the_same_lines(tmp_path, ending, opened):
    path = tmp_path / f"lines.txt{ending}"
    with opened(path, "wt", encoding="utf-8") as file:
        file.write("é1\né2\n")
    assert is_text(str(path))
    assert list(open_text(str(path)).lines()) == ["é1", "é2"]
    cut = written(tmp_path, path.read_bytes()[:-12], f"cut.txt{ending}")
    with pytest.raises(UserError, match="cannot be read to its end"):
        list(open_text(cut).lines())


def test_nine_lines_of_ten_and_the_tenth_make_up_the_whole(tmp_path):
    source = written(tmp_path, "".join(f"{number}\n\n" for number in range(30)))
    train, held_out = (list(open_text(f"{source}::{part}").lines()) for part in ("train", "held-out"))
    assert held_out == ["9", "19", "29"]
    assert sorted(train + held_out, key=int) == [str(number) for number in range(30)]
    with pytest.raises(UserError, match="Did you mean 'train'"):
        open_text(f"{source}::trian")


def test_a_pack_is_a_source_of_the_lines_that_it_holds(tmp_path):
    source = written(tmp_path, "ab ba\nb ab\nabba\n")
    pack_text(source, tmp_path / "pack", WORDS)
    assert is_text(str(tmp_path / "pack"))
    again = text_source_of(str(tmp_path / "pack"))
    assert list(again.lines()) == ["ab ba", "b ab", "abba"]
    letters = prepare_text(str(tmp_path / "pack"), CHARACTERS)
    assert letters.alphabet.decode(letters.read([2])) == ["abba"]


def test_pythons_help_is_prose_without_a_sentence_twice():
    lines = list(open_text("pydoc").lines())
    assert len(lines) > 1000
    assert len(set(lines)) == len(lines)
    assert not any("    " in line or "====" in line for line in lines)
    with pytest.raises(UserError, match="Did you mean 'yield'"):
        open_text("pydoc:yeild")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("café\n".encode("latin-1"), "line 1 has the byte 0xe9"),
        ("a\nb\n".encode("utf-16"), "line 1 has the byte 0xff"),
        ("a\nb\n".encode("utf-16-le"), "zero byte"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "byte 0x89"),
        ("x" * 5000, "one line of 5,000 characters"),
        ("x" * (1 << 20) + "y\nz\n", "longer than 1,048,576 bytes"),
        ("aa\naaa\n", "made of 'a' alone"),
        ("\n \n", "no lines but blank ones"),
        (b"", "no lines but blank ones"),
    ],
    ids=["latin-1", "utf-16", "utf-16 unmarked", "png", "one line", "endless", "one letter", "blank", "empty"],
)
def test_what_is_no_text_to_learn_from_is_refused_with_what_would_do(tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        survey_of(open_text(written(tmp_path, content)), "characters")


def test_a_source_is_surveyed_once_and_anew_where_its_lines_are_others(tmp_path):
    source = written(tmp_path, b"ab\nc\n")
    assert survey_text(source, "characters") is survey_text(source, "characters")
    assert survey_text(source, "characters").longest == 2
    assert survey_text(written(tmp_path, b"abc\nd\n"), "characters").longest == 3


def test_a_mark_of_utf_8_is_no_character_of_the_first_line(tmp_path):
    assert list(open_text(written(tmp_path, b"\xef\xbb\xbfab\nc")).lines()) == ["ab", "c"]


def test_a_name_that_is_not_there_and_a_folder_are_refused(tmp_path):
    written(tmp_path, "a\nb")
    with pytest.raises(UserError, match=r"Did you mean 'lines\.txt'"):
        open_text(str(tmp_path / "line.txt"))
    with pytest.raises(UserError, match="is a folder"):
        open_text(str(tmp_path))


def test_a_model_of_pictures_is_told_that_text_is_none():
    with pytest.raises(UserError, match="holds text, and pictures are wanted"):
        open_source("pydoc")
