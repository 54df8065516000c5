import pytest

from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.pictures import decode, read_header

ONE = {
    "bits": (b"P4\n9 2\n" + b"\xff\x80\0\0", [[0] * 9, [255] * 9]),  # Nine bits are two bytes to a row; 1 is black.
    "grey": (b"P5 2 1 255\n" + bytes([7, 9]), [[7, 9]]),
    "grey of 16 bits": (b"P5 # wide\n2 1\n65535\n" + bytes([1, 1, 255, 255]), [[1, 255]]),
    "colour": (b"P6 1 1 255\n" + bytes([1, 2, 3]), [[1]]),
}


@pytest.mark.parametrize("kind", ONE)
def test_several_pictures_in_one_file_are_refused_and_not_silently_the_first(kind):
    data, expected = ONE[kind]
    assert decode(data)[..., 0].tolist() == expected
    assert decode(data + b"\n")[..., 0].tolist() == expected
    for read in (decode, read_header):
        for second in (data, b"\n" + data):
            with pytest.raises(BrokenPicture, match="2 frames or more"):
                read(data + second)
