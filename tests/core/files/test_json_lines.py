import json
import threading
from pathlib import Path

import pytest

from ganvas.core.errors import UserError
from ganvas.core.files.json_lines import append_line, read_lines


def test_lines_are_whole_though_many_write_at_once(tmp_path):
    path = tmp_path / "measures.jsonl"
    writers = [
        threading.Thread(target=lambda k=k: [append_line(path, {"k": k, "text": "x" * 500}) for _ in range(10)])
        for k in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(json.loads(line)["k"] for line in path.read_text().splitlines()) == sorted(list(range(4)) * 10)


def test_after_a_torn_line_a_new_one_begins(tmp_path):
    path = tmp_path / "measures.jsonl"
    path.write_text('{"whole": 1}\n{"torn')
    append_line(path, {"next": 2})
    assert path.read_text().splitlines() == ['{"whole": 1}', '{"torn', '{"next": 2}']


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a place where not even a superuser may write")
def test_a_file_that_cannot_be_written_is_a_clear_error():
    with pytest.raises(UserError, match="cannot be written"):
        append_line(Path("/proc/version/measures.jsonl"), {})


def test_every_line_is_read_as_it_stands_and_only_lost_ones_are_damaged(tmp_path):
    raw = [b'{"a": 1}\n', b"\n", b"[1]\n", b'{"b": "caf\xe9"}\n', b'{"c": 1\n', b"[" * 100_000 + b"\n", b'{"torn']
    (tmp_path / "log.jsonl").write_bytes(b"".join(raw))
    lines = read_lines(tmp_path / "log.jsonl")
    assert [line.raw for line in lines] == raw
    assert [line.entry for line in lines] == [{"a": 1}, None, None, {"b": "caf\ufffd"}, None, None, None]
    assert [line.damaged for line in lines] == [False, False, True, False, True, True, False]
    assert read_lines(tmp_path / "none.jsonl") == []
