import numpy as np

from ganvas.report.drawing.palette import BLUE, rgb, shaded
from ganvas.report.pictures.sound_picture import GAP, WAVE_HEIGHT, sound_picture, wave_picture


def test_a_wave_is_drawn_from_its_least_to_its_greatest_sample_in_every_column():
    wave = np.zeros(1000)
    wave[500:] = np.tile([1.0, -1.0], 250)
    picture = wave_picture(wave, width=10)
    blue = (picture == rgb(BLUE)).all(2)
    assert blue[:, :5].sum(0).tolist() == [1] * 5
    assert blue[:, 5:].all()
    assert wave_picture(np.array([0.5]), width=7).shape == (WAVE_HEIGHT, 7, 3)


def test_low_frequencies_are_at_the_foot_and_time_goes_to_the_right():
    levels = np.full((8, 4), -80.0)
    levels[0, 3] = 0.0
    picture = sound_picture(np.zeros(64), levels, width=8)
    assert picture.shape == (WAVE_HEIGHT + GAP + 8, 8, 3)
    loud = shaded(np.array([[0.0]]), low=-80, high=0)[0, 0]
    assert (picture[-1, 6:] == loud).all()
    assert not (picture[-1, :6] == loud).all()
    assert not (picture[-8, 6:] == loud).all()
