"""Every metric has a page that says what it sees and does not, with a figure and the command that made it."""

import re
from pathlib import Path

import pytest

from ganvas.metrics.measuring import metric_catalogue

DOCS = Path(__file__).parents[1] / "docs"
NAMES = [entry.name for entry in metric_catalogue.entries()]
SAID = ("It sees", "blind to", "How many pictures", "What breaks it")


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_has_a_page_in_four_answers_with_a_figure_of_its_blindness(name):
    text = (DOCS / f"metric_{name}.md").read_text(encoding="utf-8")
    assert f"(`{name}`)" in text.splitlines()[0]
    assert [said for said in SAID if not re.search(rf"\*\*[^*]*{said}", text)] == []
    figures = re.findall(r"!\[[^\]]{20,}\]\((figures/metric_[a-z0-9_]+\.(?:png|svg))\)", text)
    assert figures, "a figure, and what it shows for those who cannot see it"
    for figure in figures:
        assert 0 < (DOCS / figure).stat().st_size < 150_000
    scripts = re.findall(r"`python\s+(docs/figures/\w+\.py)", text)
    assert scripts, "the command that made it"
    assert all((DOCS.parent / script).is_file() for script in scripts)


def test_the_overview_names_every_metric_and_leads_to_its_page():
    text = (DOCS / "metrics.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"[`{name}`](metric_{name}.md)" not in text] == []
