import hashlib
from inspect import unwrap

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.seeds import stream

parts = st.lists(st.integers() | st.text(), max_size=3)


def test_the_seed_of_a_stream_is_the_published_one():
    # Written out by hand: a change here changes the pictures of every run there is.
    digest = hashlib.sha256(b"(7, 'latents', 64)").digest()
    assert derive_seed(7, "latents", 64) == int.from_bytes(digest[:8], "little") // 2
    assert derive_seed(7, "latents", 64) == 4470646171540301088  # sha256sum, first 8 bytes, halved


def test_a_seed_without_a_purpose_has_a_stream_too():
    assert derive_seed(7) == int.from_bytes(hashlib.sha256(b"(7,)").digest()[:8], "little") // 2


@given(st.integers(), parts, parts)
def test_other_purposes_have_other_seeds(seed: int, one: list, other: list):
    assert (derive_seed(seed, *one) == derive_seed(seed, *other)) == (one == other)


@given(st.integers(), parts)
def test_a_seed_fits_a_signed_word(seed: int, named: list):
    assert 0 <= derive_seed(seed, *named) < 2**63


def test_the_number_1_and_the_text_1_are_two_purposes():
    assert derive_seed(0, 1) != derive_seed(0, "1")


@pytest.mark.parametrize("kind", [np.int64, np.uint8])
def test_a_numpy_integer_names_the_same_stream_as_the_python_one(kind: type):
    # repr(np.int64(1)) is "np.int64(1)": written out, it would name another stream. Unwrapped: beartype refuses it.
    assert unwrap(derive_seed)(kind(1), kind(2)) == derive_seed(1, 2)


def test_a_stream_repeats_and_leaves_the_global_one_alone():
    before = torch.get_rng_state()
    first = torch.randn(8, generator=stream(3, "noise", 128))
    again = torch.randn(8, generator=stream(3, "noise", 128))
    assert torch.equal(first, again)
    assert torch.equal(torch.get_rng_state(), before)


def test_streams_of_neighbouring_positions_are_unrelated():
    # Independent standard normals: the correlation of n pairs has a standard deviation of n^-1/2; 5 of them.
    n = 100_000
    a, b = (torch.randn(n, generator=stream(0, "noise", nimg), dtype=torch.float64) for nimg in (0, 16))
    assert abs(float((a * b).mean())) < 5 / n**0.5
