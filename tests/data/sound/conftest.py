import numpy as np
import pytest

from ganvas.data.sound.riff import Recording, SampleForm, riff_bytes


@pytest.fixture
def write(tmp_path):
    """Writes a wave file into a folder of its own; a tone where no samples are given."""

    def write(name, samples=None, *, rate=8000, form=SampleForm.INT16):
        path = tmp_path / "sounds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if samples is None:
            samples = np.rint(8000 * np.sin(np.arange(400) * 0.3))
        samples = np.asarray(samples)
        samples = samples[:, None] if samples.ndim == 1 else samples
        path.write_bytes(riff_bytes(Recording(samples=samples.astype(form.dtype), rate=rate, form=form)))
        return tmp_path / "sounds"

    return write
