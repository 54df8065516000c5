"""A folder that is filled file by file: when it begins, what it goes on with, and what it makes again."""

import json

import pytest

from ganvas.core.errors import UserError
from ganvas.core.files import json_lines
from ganvas.tasks.pictures import output_folder
from ganvas.tasks.pictures.output_folder import OutputFolder, fingerprint


def made_of(data):
    return {"picture": fingerprint(data)}


def test_nothing_is_there_before_the_first_file_so_that_other_settings_may_follow_a_refusal(tmp_path):
    out = tmp_path / "out"
    OutputFolder(out, "inpaint", {"white": "auto"})
    assert not out.exists()
    OutputFolder(out, "inpaint", {"white": "known"}).write("a.png", b"made", made_of(b"a"))
    assert json.loads((out / "inpaint.json").read_text()) == {"verb": "inpaint", "white": "known"}
    with pytest.raises(UserError, match="white known, and now it is auto"):
        OutputFolder(out, "inpaint", {"white": "auto"})


def test_settings_that_nothing_was_made_with_bind_nobody(tmp_path):
    (tmp_path / "inpaint.json").write_text('{"verb": "inpaint", "white": "auto"}')
    (tmp_path / ".partial-1-a.png").write_bytes(b"half")
    OutputFolder(tmp_path, "inpaint", {"white": "known"}).write("a.png", b"made")
    assert json.loads((tmp_path / "inpaint.json").read_text())["white"] == "known"


def test_a_file_is_done_as_long_as_what_it_was_made_of_is_the_same(tmp_path):
    out = tmp_path / "out"
    OutputFolder(out, "inpaint", {}).write("sub/a.png", b"made", made_of(b"a"))
    again = OutputFolder(out, "inpaint", {})
    assert again.done("sub/a.png", made_of(b"a"))
    assert not again.done("sub/a.png", made_of(b"other"))
    again.write("sub/a.png", b"made anew", made_of(b"other"))
    assert again.renewed == 1
    last = OutputFolder(out, "inpaint", {})
    assert last.done("sub/a.png", made_of(b"other"))
    assert not last.done("sub/a.png", made_of(b"a"))


@pytest.mark.parametrize("dies", ["append_line", "write_bytes"])
def test_a_death_at_any_moment_leaves_no_file_that_is_taken_for_one_made_of_something_else(tmp_path, monkeypatch, dies):
    out = tmp_path / "out"
    OutputFolder(out, "inpaint", {}).write("a.png", b"of the old", made_of(b"old"))

    def death(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(output_folder, dies, death)
        with pytest.raises(KeyboardInterrupt):
            OutputFolder(out, "inpaint", {}).write("a.png", b"of the new", made_of(b"new"))
    after = OutputFolder(out, "inpaint", {})
    assert not after.done("a.png", made_of(b"new"))
    after.write("a.png", b"of the new", made_of(b"new"))
    assert OutputFolder(out, "inpaint", {}).done("a.png", made_of(b"new"))


def test_a_file_of_which_nothing_is_known_is_made_again_and_a_torn_line_loses_only_itself(tmp_path):
    out = tmp_path / "out"
    OutputFolder(out, "inpaint", {}).write("a.png", b"made", made_of(b"a"))
    OutputFolder(out, "inpaint", {}).write("b.png", b"made", made_of(b"b"))
    lines = out / "inpaint.jsonl"
    lines.write_bytes(lines.read_bytes()[:-9])
    folder = OutputFolder(out, "inpaint", {})
    assert [folder.done(f"{name}.png", made_of(name.encode())) for name in "ab"] == [True, False]
    folder.write("b.png", b"made", made_of(b"b"))
    assert all(line.entry for line in json_lines.read_lines(lines)[2:])
    assert OutputFolder(out, "inpaint", {}).done("b.png", made_of(b"b"))
