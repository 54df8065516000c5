import errno

import numpy as np
import pytest
import torch

from ganvas.cli.failures import explained
from ganvas.core.errors import TrainingFailed, UserError
from ganvas.core.process.listener import Stopped


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        (UserError("No."), "Error: No.", 2),
        (TrainingFailed("It became nan."), "Error: It became nan.", 1),
        (KeyboardInterrupt(), "Stopped.", 130),
        (Stopped(), "Stopped.", 130),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "Error: /x: Permission denied.", 2),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"), "Set TMPDIR", 2),
        (RuntimeError("Could not determine home directory."), "there is no such home folder", 2),
    ],
)
def test_what_a_person_can_change_is_one_sentence_and_a_code(error, said, code):
    told = explained(error)
    assert told is not None
    assert said in told[0]
    assert told[1] == code


@pytest.mark.parametrize("error", [OSError("ours"), BrokenPipeError(errno.EPIPE, "Broken pipe"), RuntimeError("shape")])
def test_what_only_we_can_mend_keeps_its_traceback(error):
    assert explained(error) is None


def test_too_little_memory_is_told_with_how_much_was_asked_for():
    with pytest.raises(RuntimeError) as torchs:
        torch.empty(2**52, dtype=torch.uint8)  # 4 PiB: no system gives it.
    with pytest.raises(MemoryError) as numpys:
        np.empty(2**52, np.uint8)
    for error, size in ((torchs.value, "(4,503,599.63 GB more were asked for)"), (numpys.value, "(4.00 PiB more")):
        told = explained(error)
        assert told is not None
        assert "not enough memory" in told[0]
        assert size in told[0]
        assert told[1] == 1
    cuda = explained(
        RuntimeError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 8 GiB")
    )
    assert cuda is not None
    assert "(2.50 GiB more were asked for)" in cuda[0]
