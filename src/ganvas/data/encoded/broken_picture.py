"""The refusal of one encoded picture."""

from ganvas.data.encoded.broken_file import BrokenFile


class BrokenPicture(BrokenFile):
    """A file that is not one whole picture."""
