import pytest

from ganvas.core.errors import UserError, did_you_mean


def test_a_user_error_is_a_value_error_to_whoever_uses_the_library():
    with pytest.raises(ValueError, match="as given"):
        raise UserError("as given")


def test_the_nearest_name_is_proposed():
    assert did_you_mean("resolutoin", ["batch_size", "resolution"]) == " Did you mean 'resolution'?"


def test_nothing_is_proposed_when_nothing_is_near():
    assert did_you_mean("zzz", ["batch_size", "resolution"]) == ""
    assert did_you_mean("anything", iter(())) == ""
