"""Places of nodes, and sheets of graphs."""

import numpy as np
import pytest

from ganvas.report.drawing.drawing import encoded
from ganvas.report.drawing.primitives import Circle, Path, Text
from ganvas.report.pictures.graph_layout import layout, steps_between
from ganvas.report.pictures.graph_sheet import SIDE, graph_sheet


def joined(edges, nodes):
    table = np.zeros((nodes, nodes), bool)
    for a, b in edges:
        table[a, b] = table[b, a] = True
    return table


def test_steps_are_lengths_of_shortest_paths():
    steps = steps_between(joined([(0, 1), (1, 2), (2, 3)], 5))
    assert steps[0].tolist() == [0, 1, 2, 3, np.inf]


def test_a_path_lies_on_a_line_and_a_triangle_has_equal_sides():
    path = layout(joined([(0, 1), (1, 2), (2, 3)], 4))
    assert np.abs(np.diff(path[:, 0])) == pytest.approx(np.ones(3), abs=0.02)
    assert np.abs(path[:, 1]).max() < 0.06  # It began .05 beside the line.
    triangle = layout(joined([(0, 1), (1, 2), (2, 0)], 3))
    sides = [np.linalg.norm(triangle[a] - triangle[b]) for a, b in ((0, 1), (1, 2), (2, 0))]
    assert sides == pytest.approx([1, 1, 1], abs=1e-6)


def test_the_same_graph_has_the_same_places_and_parts_lie_apart():
    two = joined([(0, 1), (2, 3)], 4)
    places = layout(two)
    assert np.array_equal(places, layout(two))
    assert np.linalg.norm(places[:2].mean(0) - places[2:].mean(0)) > 1


def test_a_sheet_shows_bonds_as_lines_elements_as_letters_and_stays_in_its_squares():
    carbon_dioxide = np.array([[2, 2, 0], [2, 1, 2], [0, 2, 2]])
    nothing = np.zeros((3, 3), int)
    sheet = graph_sheet([carbon_dioxide, nothing], node_names=("C", "O"), words=("one", "two"))
    assert sum(isinstance(item, Path) for item in sheet.items) == 4
    letters = [item.text for item in sheet.items if isinstance(item, Text)]
    assert letters == ["O", "O", "one", "no node", "two"]
    discs = [item for item in sheet.items if isinstance(item, Circle)]
    assert all(0 < disc.x < SIDE + 12 for disc in discs)
    assert encoded(sheet, ".svg").startswith(b"<svg")
