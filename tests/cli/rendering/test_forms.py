from ganvas.cli.rendering.forms import table


def test_a_name_of_a_file_is_not_obeyed_by_the_terminal(capsys):
    table("classes", ("class", "pictures"), [("\x1b]0;taken\x07cat", "3")])
    shown = capsys.readouterr().err
    assert "\x1b" not in shown
    assert "\\x1b]0;taken\\x07cat" in shown


def test_in_a_pipe_a_row_is_one_line_and_on_a_narrow_terminal_as_many_as_it_takes(monkeypatch, capsys):
    told = " ".join(["word"] * 60)
    monkeypatch.delenv("COLUMNS", raising=False)
    table("", ["name", "what"], [["a" * 90, told]])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[1].split() == ["a" * 90, *told.split()]
    monkeypatch.setenv("COLUMNS", "80")
    table("", ["name", "what"], [["a", told]])
    assert max(map(len, capsys.readouterr().err.splitlines())) == 80
