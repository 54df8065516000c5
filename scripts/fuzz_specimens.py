"""One small whole file of every kind that Ganvas reads, and the command that reads it, for ``scripts/fuzz.py``."""

import contextlib
import io
import json
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import nn

How = Literal["bytes", "json", "lines"]
SCENES = "scenes:24,16x16"
SMALL = "resolution=16 features=8 latent_size=8 batch_size=8 measure_kimg=-1 sample_kimg=0.032"
TRAIN = ["train", "gan/dcgan", "--data", SCENES, "--threads", "1", "--out", "ROOT"]
TRAIN += [word for change in SMALL.split() for word in ("--set", change)]
REFERENCE = ["measure", SCENES, "--metrics", "fid", "--features", "untrained", "-n", "16", "--quiet", "--ref", "FILE"]
FEATURES = ["measure", SCENES, "scenes:24,16x16,seed=3", "--metrics", "fid", "-n", "16", "--quiet", "--no-cache"]
FEATURES += ["--features", "FILE"]
SAMPLE, REPORT = ["sample", "ROOT", "-n", "4", "-o", "ROOT/drawn.png"], ["report", "ROOT", "--out", "ROOT/page.html"]
DESCRIBE = ["data", "describe", "ROOT", "--full"]
PICTURES = ("png", "jpg", "webp", "gif", "tif", "bmp", "ppm")


@dataclass(frozen=True)
class Specimen:
    """A file in a folder that is copied for each variant.

    Attributes:
        folder: What is copied.
        file: The file in it that is harmed; a pattern.
        how: What it is made of.
        command: What reads it; ROOT stands for the folder's copy, FILE for the file's.
        hashed: The JSON beside it bears its SHA-256, which is made right again, as a stranger would.
    """

    name: str
    folder: Path
    file: str
    how: How
    command: list[str]
    hashed: bool = False


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x.float()).mean((2, 3))


def specimens(root: Path, call: Callable[[list[str]], None], only: str = "") -> list[Specimen]:
    """The files whose names hold ``only``, made below ``root``; ``call`` runs a command of Ganvas."""
    groups = (
        ("run", _run, _of_run),
        ("arrays", _arrays, _of_arrays),
        ("packed", _packed, _of_pack),
        ("pictures", _pictures, _of_pictures),
        ("nets", _networks, _of_networks),
    )
    found = []
    for name, make, listed in groups:
        chosen = [one for one in listed(root / name) if only in one.name]
        if chosen:
            (root / name).mkdir(parents=True)
            make(root / name, call)
        found += chosen
    return found


def _of_run(run: Path) -> list[Specimen]:
    newest, state = "model/000000.064/model", "state/000000.064/state"
    resume = [*TRAIN, "--kimg", "0.08"]
    measure = ["measure", "ROOT", SCENES, "--metrics", "ms_ssim", "-n", "16", "--quiet"]
    table = ["table", "ROOT", "--format", "csv"]
    return [
        Specimen("model.safetensors", run, f"{newest}.safetensors", "bytes", SAMPLE),
        Specimen("model.safetensors hashed", run, f"{newest}.safetensors", "bytes", SAMPLE, hashed=True),
        Specimen("model.json", run, f"{newest}.json", "json", SAMPLE),
        Specimen("model.json hashed", run, f"{newest}.json", "json", SAMPLE, hashed=True),
        Specimen("state.safetensors", run, f"{state}.safetensors", "bytes", resume),
        Specimen("state.safetensors hashed", run, f"{state}.safetensors", "bytes", resume, hashed=True),
        Specimen("state.json", run, f"{state}.json", "json", resume),
        Specimen("state.json hashed", run, f"{state}.json", "json", resume, hashed=True),
        *(Specimen(f"run.json {to[0]}", run, "run.json", "json", to) for to in (resume, REPORT, table, measure)),
        *(
            Specimen(f"{name} report", run, name, "lines", REPORT)
            for name in ("log.jsonl", "cost.jsonl", "measures.jsonl")
        ),
        *(
            Specimen(f"{name} train", run, name, "lines", resume)
            for name in ("log.jsonl", "cost.jsonl", "measures.jsonl")
        ),
        Specimen("sample.png report", run, "samples/0*.png", "bytes", REPORT),
    ]


def _of_arrays(folder: Path) -> list[Specimen]:
    statistics = ("own.npz", "moments.npz", "edm2.pkl", "fidelity.pt", "arrays.pt")
    found = [Specimen(f"statistics {name}", folder, name, "bytes", REFERENCE) for name in statistics]
    data = ("pictures.npz", "pictures.npy", "pictures.zip", "pictures.tar", "pictures.tar.gz", "pictures.tar.xz")
    describe = ["data", "describe", "FILE", "--full"]
    found += [Specimen(f"data {name}", folder, name, "bytes", describe) for name in data]
    measure = ["measure", "FILE", SCENES, "--metrics", "ms_ssim", "-n", "8", "--quiet"]
    return [*found, *(Specimen(f"measure {name}", folder, name, "bytes", measure) for name in data[:3])]


def _of_pack(folder: Path) -> list[Specimen]:
    measure = ["measure", "ROOT", SCENES, "--metrics", "ms_ssim", "-n", "8", "--quiet"]
    pairs = ["measure", "ROOT", "ROOT", "--metrics", "psnr", "-n", "8", "--quiet"]
    return [
        Specimen("pack manifest", folder, "manifest.json", "json", DESCRIBE),
        Specimen("pack manifest measure", folder, "manifest.json", "json", measure),
        Specimen("pack images", folder, "images.npy", "bytes", DESCRIBE),
        Specimen("pack images measure", folder, "images.npy", "bytes", measure),
        Specimen("pack labels", folder, "labels.npy", "bytes", DESCRIBE),
        Specimen("pack names", folder, "names.json", "json", pairs),
    ]


def _of_pictures(folder: Path) -> list[Specimen]:
    return [
        *(Specimen(f"picture {end}", folder / end, f"a.{end}", "bytes", DESCRIBE) for end in PICTURES),
        Specimen("picture labels", folder / "labelled", "dataset.json", "json", DESCRIBE),
        Specimen("picture idx", folder / "idx", "train-images-idx3-ubyte", "bytes", DESCRIBE),
        Specimen("picture idx labels", folder / "idx", "train-labels-idx1-ubyte", "bytes", DESCRIBE),
    ]


def _of_networks(folder: Path) -> list[Specimen]:
    table = ["table", "FILE", "--input", "1,3,16,16", "--format", "csv"]
    return [
        Specimen("torchscript table", folder, "script.pt", "bytes", table),
        Specimen("torchscript features", folder, "script.pt", "bytes", FEATURES),
        Specimen("exported table", folder, "exported.pt2", "bytes", ["table", "FILE", "--format", "csv"]),
        Specimen("exported features", folder, "exported.pt2", "bytes", FEATURES),
        Specimen("description of features", folder, "script.pt.json", "json", [*FEATURES[:-1], "ROOT/script.pt"]),
        Specimen("classifier", folder, "classifier.safetensors", "bytes", FEATURES),
    ]


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def _run(folder: Path, call: Callable[[list[str]], None]) -> None:
    folder.rmdir()
    call([word.replace("ROOT", str(folder)) for word in [*TRAIN, "--kimg", "0.064"]])
    call(["measure", str(folder), SCENES, "--metrics", "ms_ssim", "-n", "16", "--quiet"])


def _arrays(folder: Path, call: Callable[[list[str]], None]) -> None:
    call(["stats", SCENES, "-o", str(folder / "own.npz"), "--metrics", "fid", "--features", "untrained", "--quiet"])
    with np.load(folder / "own.npz") as own:
        moments = {"mu": own["mu"], "sigma": own["sigma"]}
    np.savez(folder / "moments.npz", **moments)
    import pickle

    (folder / "edm2.pkl").write_bytes(pickle.dumps({"fid": moments, "num_images": 24}))
    torch.save({key: torch.from_numpy(value) for key, value in moments.items()}, folder / "fidelity.pt")
    torch.save(moments, folder / "arrays.pt")
    pictures, labels = _noise(12, 16, 16, 3), np.arange(12) % 2
    np.savez(folder / "pictures.npz", images=pictures, labels=labels)
    np.save(folder / "pictures.npy", pictures)
    encoded = {f"{index}.png": _encoded(picture, "png") for index, picture in enumerate(pictures)}
    with zipfile.ZipFile(folder / "pictures.zip", "w") as archive:
        for name, data in encoded.items():
            archive.writestr(name, data)
    for mode in ("", ":gz", ":xz"):
        with tarfile.open(folder / f"pictures.tar{mode.replace(':', '.')}", f"w{mode}") as tar:  # type: ignore[call-overload]
            for name, data in encoded.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


def _packed(folder: Path, call: Callable[[list[str]], None]) -> None:
    source = folder.parent / "classes"
    for label in ("a", "b"):
        (source / label).mkdir(parents=True)
        for index, picture in enumerate(_noise(6, 16, 16, 3)):
            Image.fromarray(picture).save(source / label / f"{index}.png")
    folder.rmdir()
    call(["data", "pack", str(source), "-o", str(folder)])


def _pictures(folder: Path, call: Callable[[list[str]], None]) -> None:
    for end in PICTURES:
        (folder / end).mkdir()
        (folder / end / f"a.{end}").write_bytes(_encoded(_noise(16, 16, 3), end))
    (folder / "labelled").mkdir()
    for index, picture in enumerate(_noise(4, 16, 16, 3)):
        Image.fromarray(picture).save(folder / "labelled" / f"{index}.png")
    labels = {"labels": [[f"{index}.png", index % 2] for index in range(4)]}
    (folder / "labelled" / "dataset.json").write_text(json.dumps(labels))
    (folder / "idx").mkdir()
    for name, values in (("images-idx3", _noise(8, 16, 16)), ("labels-idx1", np.arange(8, dtype=np.uint8) % 2)):
        head = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
        (folder / "idx" / f"train-{name}-ubyte").write_bytes(head + values.tobytes())


def _encoded(picture: np.ndarray, end: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, {"jpg": "jpeg", "tif": "tiff"}.get(end, end))
    return buffer.getvalue()


def _networks(folder: Path, call: Callable[[list[str]], None]) -> None:
    from ganvas.features import classifier

    net, example = Net().eval(), torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    with warnings.catch_warnings(action="ignore"), contextlib.redirect_stderr(io.StringIO()):
        torch.jit.save(torch.jit.trace(net, example), str(folder / "script.pt"))
        program = torch.export.export(net, (example,), dynamic_shapes=({0: torch.export.Dim("n", min=1, max=4096)},))
        torch.export.save(program, folder / "exported.pt2", extra_files={"ganvas.json": '{"size": 16}'})
    (folder / "script.pt.json").write_text('{"name": "net", "input": "bytes", "size": 16}')
    config = classifier.Config(classes=("a", "b"), size=16, width=4)
    module = classifier.Classifier(config)
    classifier.initialise(module, torch.Generator().manual_seed(0))
    classifier.save(classifier.Trained(config=config, module=module), folder / "classifier.safetensors")
