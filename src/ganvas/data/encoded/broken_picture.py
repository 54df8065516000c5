"""The refusal of one encoded picture."""


class BrokenPicture(ValueError):
    """A file that is not one whole picture. The message is the reason, without the file's name."""
