import pytest

from ganvas.core.errors import UserError
from ganvas.data.graphs.opening_graphs import open_graphs
from ganvas.data.points.opening_points import open_points
from ganvas.data.sound.opening_sounds import open_sounds
from ganvas.data.sound.sound_source import MadeNotes
from ganvas.data.sources.opening_sources import open_source


@pytest.mark.parametrize(
    ("opened", "spec", "said"),
    [
        (open_source, "scenes:500,300", "'500' and '300' both say the count"),
        (open_source, "street:500,64x96,tight,32x48", "'64x96' and '32x48' both say height and width"),
        (open_source, "stacked,50,60:scenes:20", "'50' and '60' both say the count"),
        (open_sounds, "notes:500,4096", "'500' and '4096' both say the count"),
        (open_sounds, "notes:5,4096@8000,2048@4000", "'4096@8000' and '2048@4000' both say length and rate"),
        (open_points, "mixtures:ring8,seed=1,seed=2", "'seed=1' and 'seed=2' both say seed"),
        (open_graphs, "graphs:er,50,p=0.2,p=0.3", "'p=0.2' and 'p=0.3' both say p"),
    ],
)
def test_a_word_that_takes_the_place_of_another_is_refused(opened, spec, said):
    with pytest.raises(UserError, match=rf"{said}\. Say it once"):
        opened(spec)


def test_a_person_who_forgets_the_rate_of_notes_is_not_given_more_notes():
    assert MadeNotes.parse("notes:500,4096@8000").count == 500
