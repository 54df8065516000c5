import json
import re

import numpy as np

from ganvas.report.pictures.point_moment import PointMoment
from ganvas.report.web.point_film import MOST_MOMENTS, point_film

REAL = np.array([[-1.0, 0.0], [1.0, 0.5]], np.float32)


def moment(nimg):
    return PointMoment(
        nimg=nimg,
        samples=np.array([[0.0, 1.0], [np.nan, 0.0]], np.float32),
        span=np.array([-2, 2, -2, 2], np.float32),
        levels=np.tile(np.linspace(-2, 2, 9, dtype=np.float32), (9, 1)),
        pushed=np.array([[[0.0, 1.0], [3.0, 4.0]]], np.float32),
        latent_lines=np.zeros((2, 1, 4, 2), np.float32),
    )


def data_of(page):
    return json.loads(re.search(r'id="moments">(.*?)</script>', page, re.DOTALL)[1])


def test_places_are_thousandths_of_the_sheet_from_its_lower_left():
    found = data_of(point_film("x", [moment(0), moment(5000)], REAL))
    assert found["real"] == [[250, 500], [750, 625]]
    assert found["moments"][1]["kimg"] == 5
    assert found["moments"][0]["samples"][0] == [500, 750]
    assert found["moments"][0]["pushes"] == [[500, 750, 600, 800]]  # 3, 4 of a longest push of 5.
    assert found["moments"][0]["levels"][3][::2] == [500] * 16  # The middle one of seven levels of a plane: upright.


def test_a_long_run_is_thinned_and_keeps_its_ends():
    found = data_of(point_film("x", [moment(1000 * index) for index in range(500)], REAL))
    kimg = [one["kimg"] for one in found["moments"]]
    assert len(kimg) == MOST_MOMENTS
    assert (kimg[0], kimg[-1]) == (0, 499)


def test_the_page_asks_for_nothing_and_a_name_is_no_markup():
    page = point_film("</script><b>", [moment(0), moment(1)], REAL)
    assert "default-src &#x27;none&#x27;" in page
    assert not re.search(r"https?://|src=", page)
    assert "</script><b>" not in page
