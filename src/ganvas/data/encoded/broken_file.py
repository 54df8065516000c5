"""The refusal of one file among many."""


class BrokenFile(ValueError):
    """A file that is not one whole sample. The message is the reason, without the file's name."""
