import os
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch
from looker import Looker

from ganvas.core.errors import UserError
from ganvas.metrics import kid
from ganvas.metrics.accumulators import metric_contract
from ganvas.metrics.accumulators.feature_pass import gather
from ganvas.metrics.accumulators.npz import Npz, write
from ganvas.metrics.measuring.flow import compare
from ganvas.metrics.statistics.base import is_stats
from ganvas.metrics.statistics.ganvas_file import write_stats
from ganvas.metrics.statistics.opening import open_stats

N, WIDTH = 40, 6
METRICS = ["fid", "kid", "ms_ssim"]


def pictures(n=N, *, seed, deviation=40):
    random = torch.Generator().manual_seed(seed)
    return (128 + deviation * torch.randn(n, 3, 16, 16, generator=random)).clamp(0, 255).byte()


def gathered(seed, *, metrics=METRICS, network=None, n=N, **how):
    networks = dict.fromkeys(metrics, network or Looker())
    return gather([pictures(n, seed=seed, **how)], metrics=metrics, n=n, networks=networks)


def features(seed, **how):
    return Looker().extract(pictures(seed=seed, **how), ["features"])["features"].double().numpy()


@pytest.fixture
def ref(tmp_path):
    write_stats(tmp_path / "ref.npz", gathered(1))
    return tmp_path / "ref.npz"


def moments(seed=1):
    rows = features(seed)
    return {"mu": rows.mean(0), "sigma": np.cov(rows, rowvar=False)}


def against(file, *, metrics=("fid",), lenient=False, **how):
    fakes = gathered(2, metrics=list(metrics), deviation=60)
    real = open_stats(file).gathered(list(metrics), networks=dict.fromkeys(metrics, Looker()), lenient=lenient, **how)
    return compare(real, fakes, lenient=lenient)


def test_other_tools_read_mean_and_covariance_under_the_names_of_the_field(ref):
    with np.load(ref, allow_pickle=False) as read:
        assert read["mu"].dtype == read["sigma"].dtype == np.float64
        np.testing.assert_allclose(read["mu"], moments()["mu"], rtol=1e-12)
        np.testing.assert_allclose(read["sigma"], moments()["sigma"], rtol=1e-10, atol=1e-12)
        assert int(read["n"]) == N
        assert str(read["protocol"]).startswith(f"{Looker().identity}:n{N}:")


def test_measuring_against_the_file_is_measuring_against_the_pictures(ref):
    fakes = gathered(2, deviation=60)
    from_pictures, _ = compare(gathered(1), fakes)
    from_file, skipped = compare(open_stats(ref).gathered(METRICS, networks=dict.fromkeys(METRICS, Looker())), fakes)
    assert from_file == from_pictures
    assert skipped == {}


def test_rows_that_several_metrics_keep_are_in_the_file_once(tmp_path):
    write_stats(tmp_path / "one.npz", gathered(1, metrics=["kid"]))
    write_stats(tmp_path / "two.npz", gathered(1, metrics=["kid", "fid"]))
    stored = [
        [name for name in Npz(tmp_path / file).headers if name.endswith("table.rows")]
        for file in ("one.npz", "two.npz")
    ]
    assert [len(names) for names in stored] == [1, 1]


def test_a_metric_that_was_not_asked_for_is_filled_from_rows_that_are_there(tmp_path):
    write_stats(tmp_path / "ref.npz", gathered(1, metrics=["kid"]))
    found, _ = against(tmp_path / "ref.npz")
    expected, _ = compare(gathered(1, metrics=["fid"]), gathered(2, metrics=["fid"], deviation=60))
    assert found == expected


def test_a_file_of_moments_alone_is_small_and_enough_for_fid(tmp_path):
    path = tmp_path / "small.npz"
    assert write_stats(path, gathered(1), moments=True) == ["fid"]
    assert not any("table" in name for name in Npz(path).headers)
    (found,), _ = against(path)
    (expected,), _ = compare(gathered(1, metrics=["fid"]), gathered(2, metrics=["fid"], deviation=60))
    assert found.value == pytest.approx(expected.value, rel=1e-9)
    assert found.protocol == expected.protocol
    with pytest.raises(UserError, match="--moments"):
        against(path, metrics=["kid"])


def test_what_the_file_lacks_is_said_with_the_command_that_makes_it(tmp_path):
    write_stats(tmp_path / "ref.npz", gathered(1, metrics=["fid"]))
    with pytest.raises(UserError, match=r"holds nothing for ms_ssim. It holds: fid.*--metrics fid,ms_ssim"):
        against(tmp_path / "ref.npz", metrics=["ms_ssim"])
    found, skipped = against(tmp_path / "ref.npz", metrics=["ms_ssim", "fid"], lenient=True)
    assert [one.metric for one in found] == ["fid"]
    assert "holds nothing" in skipped["ms_ssim"]


def test_a_file_of_another_network_is_refused(tmp_path):
    write_stats(tmp_path / "other.npz", gathered(1, network=Looker(seed=1)))
    with pytest.raises(UserError, match=r"another network.*looker@seed1.*looker@seed0"):
        against(tmp_path / "other.npz")
    np.savez(tmp_path / "wide.npz", mu=np.zeros(7), sigma=np.eye(7))
    with pytest.raises(UserError, match=r"its features are 7 numbers.*are 6"):
        against(tmp_path / "wide.npz")


def test_two_networks_in_one_file_are_told_apart(tmp_path):
    both = gathered(1, metrics=["fid", "kid"])
    other = gathered(1, metrics=["kid"], network=Looker(seed=1))
    import dataclasses

    mixed = dataclasses.replace(both, stats={"kid": other.stats["kid"], "fid": both.stats["fid"]})
    write_stats(tmp_path / "mixed.npz", mixed)
    assert against(tmp_path / "mixed.npz")[0] == compare(both, gathered(2, metrics=["fid"], deviation=60))[0]
    with pytest.raises(UserError, match="another network"):
        against(tmp_path / "mixed.npz", metrics=["kid"])


# --- of other tools ---


def expected_fid():
    """The Fréchet distance by eigenvalues of the product, as torch-fidelity has it."""
    a, b = moments(), {"mu": (f := features(2, deviation=60)).mean(0), "sigma": np.cov(f, rowvar=False)}
    roots = np.sqrt(np.linalg.eigvals(a["sigma"] @ b["sigma"]).astype(complex)).real.sum()
    return ((a["mu"] - b["mu"]) ** 2).sum() + np.trace(a["sigma"]) + np.trace(b["sigma"]) - 2 * roots


def as_npz(path):
    np.savez(path, **moments())


def as_compressed_npz(path):
    np.savez_compressed(path, **{key: np.asfortranarray(value) for key, value in moments().items()})


def as_edm2(path):
    path.write_bytes(pickle.dumps({"num_images": N, "fid": moments()}))


def as_torch_fidelity(path):
    torch.save(moments(), path)


def as_features(path):
    torch.save(torch.from_numpy(features(1)), path)


def as_clean_kid(path):
    np.savez_compressed(path, feats=features(1).astype(np.float32))


@pytest.mark.parametrize(
    ("name", "save", "n"),
    [
        ("ref.npz", as_npz, None),
        ("compressed.npz", as_compressed_npz, None),
        ("edm2.pkl", as_edm2, N),
        ("cached.pt", as_torch_fidelity, None),
        ("features.pt", as_features, N),
        ("x_kid.npz", as_clean_kid, N),
    ],
)
def test_files_of_other_tools_give_the_value_of_the_definition(tmp_path, name, save, n):
    save(tmp_path / name)
    file = open_stats(tmp_path / name)
    assert file.n == n
    assert "does not say of which network" in file.note
    assert ("nor of how many pictures" in file.note) == (n is None)
    (found,), _ = against(tmp_path / name)
    assert found.value == pytest.approx(expected_fid(), rel=1e-5)
    assert found.protocol.endswith(f":ref={file.fingerprint}")
    assert file.fingerprint.startswith("foreign:")


def test_rows_of_another_tool_serve_every_metric_of_features(tmp_path):
    as_clean_kid(tmp_path / "x_kid.npz")
    (found,), _ = against(tmp_path / "x_kid.npz", metrics=["kid"])
    (expected,), _ = compare(gathered(1, metrics=["kid"]), gathered(2, metrics=["kid"], deviation=60))
    assert found.value == pytest.approx(expected.value, rel=1e-6)


def test_moments_are_not_enough_for_kid_and_the_message_says_what_is_there(tmp_path):
    as_npz(tmp_path / "ref.npz")
    with pytest.raises(UserError, match=r"holds moments of features.*needs more than that"):
        against(tmp_path / "ref.npz", metrics=["kid"])


def test_the_pictures_of_an_adm_batch_are_named_and_not_read(tmp_path):
    np.savez(tmp_path / "VIRTUAL.npz", **moments(), arr_0=pictures(seed=1).permute(0, 2, 3, 1).numpy())
    tracemalloc.start()
    file = open_stats(tmp_path / "VIRTUAL.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert file.pictures == f"{tmp_path / 'VIRTUAL.npz'}::arr_0"
    assert is_stats(tmp_path / "VIRTUAL.npz")
    assert peak < 20e6  # Sixteen megabytes are the slab; the pictures would come on top where N is real.


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize("name", ["bomb.npz", "bomb.pkl", "bomb.pt"])
def test_a_pickle_that_would_run_something_is_refused_and_does_not(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    if name.endswith(".npz"):
        np.savez(name, mu=np.array([Bomb()], dtype=object), sigma=np.eye(1))
    elif name.endswith(".pkl"):
        (tmp_path / name).write_bytes(pickle.dumps({"fid": Bomb()}))
    else:
        torch.save({"mu": Bomb()}, name)
    with pytest.raises(UserError) as refused:
        open_stats(tmp_path / name)
    assert not (tmp_path / "exploded").exists()
    assert "\n" not in str(refused.value)
    assert "Save" in str(refused.value)
    assert "weights_only" not in str(refused.value)  # torch's advice would run it.


def truncated(path):
    np.savez(path, **moments())
    path.write_bytes(path.read_bytes()[:-200])


def flipped(path):
    write(path, moments())
    data = bytearray(path.read_bytes())
    data[400] ^= 1  # In the numbers of mu: only the checksum knows.
    path.write_bytes(data)


def damaged_manifest(path):
    write(path, {"ganvas/manifest": np.frombuffer(b'{"format": 1}', np.uint8), **moments()})


def other_version(path):
    text = b'{"version": 99, "metrics": {}, "n": 1, "seed": 0, "fingerprint": ""}'
    write(path, {"ganvas/manifest": np.frombuffer(text, np.uint8)})


def lying_header(path):
    with zipfile.ZipFile(path, "w") as archive, archive.open("mu.npy", "w") as file:
        described = {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)}
        np.lib.format.write_array_header_1_0(file, described)


SIGMA = np.eye(WIDTH)
BAD = {
    "cut short": (truncated, "cut short or damaged"),
    "one bit wrong": (flipped, "cut short or damaged"),
    "empty": (lambda path: path.write_bytes(b""), "cut short or damaged"),
    "a header that lies": (lying_header, "has not the length that it says"),
    "a manifest without its parts": (damaged_manifest, r"its manifest\): 'version' is missing"),
    "of another version": (other_version, "has version 99"),
    "nothing known": (
        lambda path: np.savez(path, mean=np.zeros(3)),
        r"holds mean float64\[3\], and neither mu and sigma",
    ),
    "mu alone": (lambda path: np.savez(path, mu=np.zeros(3)), r"holds mu float64\[3\]"),
    "not square": (lambda path: np.savez(path, mu=np.zeros(3), sigma=np.ones((3, 2))), r"\[3, 2\] and should be 3 x 3"),
    "not a row": (lambda path: np.savez(path, mu=np.zeros((3, 1)), sigma=np.eye(3)), "should be one row"),
    "not finite": (lambda path: np.savez(path, mu=np.full(3, np.nan), sigma=np.eye(3)), "nan or infinity"),
    "not symmetric": (lambda path: np.savez(path, mu=np.zeros(2), sigma=np.array([[1, 0], [1, 1.0]])), "not symmetric"),
    "a negative variance": (lambda path: np.savez(path, mu=np.zeros(2), sigma=-np.eye(2)), "variance is negative"),
    "whole numbers": (lambda path: np.savez(path, mu=np.zeros(2, int), sigma=np.eye(2)), "floating point"),
    "feats of three sides": (lambda path: np.savez(path, feats=np.zeros((2, 3, 4))), "a row of numbers per picture"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_cannot_be_is_refused_in_one_line(tmp_path, what):
    make, said = BAD[what]
    make(tmp_path / "bad.npz")
    with pytest.raises(UserError, match=said) as refused:
        open_stats(tmp_path / "bad.npz")
    assert "\n" not in str(refused.value)
    assert "bad.npz" in str(refused.value)


@pytest.mark.parametrize("gone", ["mu.npy", "ganvas/fid/table.rows.npy", "ganvas/fid/table.index.npy"])
def test_an_array_that_the_manifest_names_and_that_is_gone_is_damage(tmp_path, gone):
    write_stats(tmp_path / "whole.npz", gathered(1, metrics=["fid"]), moments=gone == "mu.npy")
    with zipfile.ZipFile(tmp_path / "whole.npz") as whole, zipfile.ZipFile(tmp_path / "part.npz", "w") as part:
        assert gone in whole.namelist()
        for name in set(whole.namelist()) - {gone}:
            part.writestr(name, whole.read(name))
    with pytest.raises(UserError, match=r"part.npz is damaged: .* should"):
        open_stats(tmp_path / "part.npz").fill("fid", seed=0, config=None, network=Looker(), rows_of="")


def test_a_folder_is_told_from_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r"is a folder.*ganvas stats .* -o ref.npz"):
        open_stats(tmp_path)


def test_a_file_that_is_not_there_says_what_makes_one(tmp_path):
    with pytest.raises(UserError, match=r"ganvas stats FOLDER -o none.npz"):
        open_stats(tmp_path / "none.npz")


def test_only_a_file_of_statistics_is_written_over(ref, tmp_path):
    np.savez(tmp_path / "pictures.npz", images=np.zeros((2, 4, 4), np.uint8))
    before = (tmp_path / "pictures.npz").read_bytes()
    with pytest.raises(UserError, match="is not a file of statistics"):
        write_stats(tmp_path / "pictures.npz", gathered(1))
    assert (tmp_path / "pictures.npz").read_bytes() == before
    write_stats(ref, gathered(3))
    assert open_stats(ref).fingerprint == gathered(3).fingerprint
    with pytest.raises(UserError, match=r"is a .npz"):
        write_stats(tmp_path / "ref", gathered(1))


def test_a_write_that_fails_leaves_what_was_there(ref, monkeypatch):
    before = ref.read_bytes()

    def fails(path, members):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("ganvas.metrics.statistics.ganvas_file.write", fails)
    with pytest.raises(UserError, match="disk is full"):
        write_stats(ref, gathered(3))
    assert ref.read_bytes() == before
    assert [path.name for path in ref.parent.iterdir()] == ["ref.npz"]


@pytest.mark.slow
def test_rows_on_the_disk_pass_through_little_memory(tmp_path, monkeypatch):
    # 96 MB of rows, in slabs of 16: neither writing nor reading may hold more than a few slabs.
    monkeypatch.setattr(metric_contract, "MEMORY_BYTES", 0)
    from ganvas.metrics.accumulators.feature_pass import Gathered

    stats = kid.Accumulator(rows_of="n")
    for start in range(0, 12_000, 1000):
        stats.update(torch.full((1000, 2000), float(start)))
    whole = Gathered(stats={"kid": stats}, n=12_000, fingerprint="f")
    tracemalloc.start()
    write_stats(tmp_path / "large.npz", whole)
    again = open_stats(tmp_path / "large.npz").gathered(["kid"]).stats["kid"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64e6
    assert (tmp_path / "large.npz").stat().st_size > 96e6
    assert [block[0, 0].item() for block in again.blocks(1000)] == [float(start) for start in range(0, 12_000, 1000)]


def test_numpy_and_the_reader_agree_on_every_kind_of_array(tmp_path):
    members = {
        "a": np.arange(6.0).reshape(2, 3),
        "b": np.array(7),
        "c": np.zeros((0, 4), np.float32),
        "d": np.array("é"),
    }
    write(tmp_path / "x.npz", members)
    with np.load(tmp_path / "x.npz", allow_pickle=False) as read:
        for name, value in members.items():
            np.testing.assert_array_equal(read[name], value)
            np.testing.assert_array_equal(Npz(tmp_path / "x.npz").array(name), value)


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (lambda mu, sigma: (mu, sigma + 5 * np.eye(len(mu), k=1)), "not symmetric"),
        (lambda mu, sigma: (mu, sigma - 9 * sigma.max() * np.eye(len(mu))), "a variance is negative"),
        (lambda mu, sigma: (mu, sigma[:3, :3]), r"\[3, 3\]"),
        (lambda mu, sigma: (mu[:3], sigma), "should be 3 x 3"),
        (lambda mu, sigma: (mu, sigma.astype(complex)), "complex128"),
        (lambda mu, sigma: (mu * np.nan, sigma), "nan or infinity"),
    ],
)
def test_moments_of_our_own_are_looked_at_as_those_of_others_are(tmp_path, spoilt, said):
    write_stats(tmp_path / "whole.npz", gathered(1, metrics=["fid"]), moments=True)
    with np.load(tmp_path / "whole.npz") as read:
        members = {name: read[name] for name in read.files}
    members["mu"], members["sigma"] = spoilt(members["mu"], members["sigma"])
    write(tmp_path / "spoilt.npz", members)
    with pytest.raises(UserError, match=f"spoilt.npz is no file of statistics.*{said}"):
        open_stats(tmp_path / "spoilt.npz").fill("fid", seed=0, config=None, network=Looker(), rows_of="")
