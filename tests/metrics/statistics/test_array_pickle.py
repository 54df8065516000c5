import pickle
import struct

import numpy as np
import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics.statistics.array_pickle import read_arrays
from ganvas.metrics.statistics.opening import open_stats


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_come_as_numpy_wrote_them(protocol):
    shared = np.arange(4.0)
    given = {
        "fid": {"mu": shared, "sigma": np.asfortranarray(np.arange(6, dtype="f4").reshape(2, 3))},
        "again": shared,
        "other order": np.arange(3, dtype=">f8"),
        "empty": np.empty((0, 3)),
        "scalar": np.float64(2.5),
        "plain": {"n": 10, "name": "inception", "list": [1, None, True], "pair": (1, 2.5), "large": 2**70},
    }
    found = read_arrays(pickle.dumps(given, protocol))
    assert found["plain"] == given["plain"]
    assert found["scalar"] == 2.5
    for one, other in ((found["fid"]["mu"], given["fid"]["mu"]), (found["fid"]["sigma"], given["fid"]["sigma"])):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    for key in ("again", "other order", "empty"):
        np.testing.assert_array_equal(found[key], given[key])


class Call:
    """Pickled as a call, and perhaps a state."""

    def __init__(self, function, arguments, *state):
        self.parts = (function, arguments, *state)

    def __reduce__(self):
        return self.parts


POINTERS = struct.pack("<4Q", *[0x4141414141414141] * 4)
NO_OBJECTS = (3, "|", None, None, None, -1, -1, 0)  # Of a type that holds some.


@pytest.mark.parametrize(
    "evil",
    [
        Call(np.ndarray, ((4,), Call(np.dtype, ("O8", False, True), NO_OBJECTS), POINTERS)),
        Call(
            np.ndarray,
            (
                (4,),
                Call(np.dtype, ("V8", False, True), (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0)),
                b"",
            ),
        ),
        Call(np.ndarray, ((10**9,), np.dtype("f8"))),
        Call(np.ndarray, ((64,), np.dtype("f8"), b"\0" * 8, 0, (0,))),
        Call(np.dtype, ("f8", False, True), (3, "<", (np.dtype("f4"), (2,)), None, None, -1, -1, 0)),
        np.array([{}]),
        np.array(["text"]),
        np.datetime64("2020-01-01"),
        Call(eval, ("1",)),
        Call(__import__, ("os",)),
        slice(1),
        {1, 2},
    ],
)
def test_whatever_is_no_array_of_numbers_is_refused(evil):
    with pytest.raises(UserError):
        read_arrays(pickle.dumps({"fid": {"mu": evil}}, 3))


def test_arrays_in_a_file_of_torch_are_read_in_the_same_way(tmp_path):
    torch.save({"mu": np.arange(3.0), "sigma": np.eye(3)}, tmp_path / "good.pt")
    assert open_stats(tmp_path / "good.pt").holds() == ["moments of features"]
    pointers = Call(np.ndarray, ((4,), Call(np.dtype, ("O8", False, True), NO_OBJECTS), POINTERS))
    torch.save({"mu": pointers, "sigma": np.eye(4)}, tmp_path / "evil.pt")
    with pytest.raises(UserError, match=r"evil\.pt: it holds an array of the type 'O8'"):
        open_stats(tmp_path / "evil.pt")


def test_an_array_whose_bytes_do_not_fit_its_shape_is_refused():
    good = pickle.dumps({"mu": np.arange(4.0)}, 3)
    assert good.count(b"K\x04\x85") == 1  # The shape: a tuple of one small number.
    with pytest.raises(UserError, match="bytes do not fit its shape"):
        read_arrays(good.replace(b"K\x04\x85", b"K\x05\x85"))


def test_keys_that_take_for_ever_to_compare_are_refused():
    """Python would follow 2^100 branches to make a hash of such a tuple."""
    doubled = b"\x80\x02" + b"}" + b"X\x01\x00\x00\x00x" + b"\x85" + b"q\x00h\x00\x86" * 100 + b"K\x01s."
    with pytest.raises(UserError, match="keys are not text"):
        read_arrays(doubled)


@pytest.mark.parametrize("data", [b"", b".", b"\x80\x04", b"u.", b"h\x05.", b"\x95" + b"\xff" * 8, b"}" * 100])
def test_a_damaged_pickle_is_no_answer(data):
    with pytest.raises((ValueError, IndexError, KeyError, EOFError)):
        read_arrays(data)
