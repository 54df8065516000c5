"""Kinds of boxes: none, one in which nothing is right or wrong, and one of something to be found."""

ABSENT, IGNORED, OBJECT = -1, 0, 1
