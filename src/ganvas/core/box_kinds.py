"""What a box says of the picture that it is in."""

ABSENT, IGNORED, OBJECT = -1, 0, 1  # No box; a box in which nothing is right or wrong; something to be found.
