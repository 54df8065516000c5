from ganvas.cli.rendering.forms import table


def test_a_name_of_a_file_is_not_obeyed_by_the_terminal(capsys):
    table("classes", ("class", "pictures"), [("\x1b]0;taken\x07cat", "3")])
    shown = capsys.readouterr().err
    assert "\x1b" not in shown
    assert "\\x1b]0;taken\\x07cat" in shown
