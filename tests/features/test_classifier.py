import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import SafetensorError
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.features import network_catalogue
from ganvas.features.classifier import Classifier, Config, Trained, initialise, read, save
from ganvas.features.classifier_training import Plan, augmented, learning_rate, split, train
from ganvas.features.resize import bicubic

CONFIG = Config(
    classes=("cat", "dog", "owl"), size=16, width=4, mean=(100.0, 110.0, 120.0), deviation=(50.0, 60.0, 70.0)
)


@pytest.fixture
def trained(rng):
    """A classifier whose batch norms have seen something, so that folding them has something to do."""
    module = Classifier(CONFIG)
    initialise(module, stream(3, "test"))
    for refine in module.refine:
        torch.nn.init.ones_(refine[1].norm.weight)
    module.train()
    for _ in range(3):
        module(torch.randn(8, 3, 16, 16, generator=rng) * 2 + 1)
    return Trained(config=CONFIG, module=module.eval(), notes={"accuracy": 0.5})


@pytest.fixture
def folder(tmp_path):
    """Forty pictures of each of two classes that differ in which half is bright."""
    draw = np.random.default_rng(0)
    for name, half in (("left", slice(0, 8)), ("right", slice(8, 16))):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(40):
            pixels = draw.integers(0, 120, (16, 16, 3))
            pixels[:, half] += 120
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "data" / name / f"{number}.png")
    return tmp_path / "data"


@torch.no_grad()
def test_a_saved_classifier_is_the_same_network_with_its_batch_norms_folded(trained, tmp_path, pictures):
    save(trained, tmp_path / "mine.safetensors")
    network = network_catalogue.load(str(tmp_path / "mine.safetensors"))
    mean, deviation = (torch.tensor(part)[:, None, None] for part in (CONFIG.mean, CONFIG.deviation))
    x = (bicubic(pictures, 16) - mean) / deviation
    found = network.extract(pictures, ["features", "logits"])
    assert dict(network.taps) == {"features": 32, "logits": 3, "channel_logits": 9}
    assert_close(found["features"], trained.module.features(x), rtol=1e-4, atol=1e-5)
    assert_close(found["logits"], trained.module(x), rtol=1e-4, atol=1e-5)
    single = torch.cat([network.extract(picture[None])["features"] for picture in pictures])
    assert_close(single, found["features"], rtol=1e-5, atol=1e-5)


def test_each_channel_is_looked_at_as_a_grey_picture_of_its_own(trained, tmp_path, pictures):
    save(trained, tmp_path / "mine.safetensors")
    network = network_catalogue.load(str(tmp_path / "mine.safetensors"))
    found = network.extract(pictures, ["channel_logits", "logits"])
    for index in range(3):
        grey = network.extract(pictures[:, [index]], ["logits"])["logits"]
        assert torch.allclose(found["channel_logits"][:, 3 * index : 3 * index + 3], grey, atol=1e-5)


def test_the_identity_is_the_files_hash_and_the_size(trained, tmp_path):
    save(trained, tmp_path / "a.safetensors")
    save(trained, tmp_path / "b.safetensors")
    one, again = (network_catalogue.load(str(tmp_path / f"{name}.safetensors")).identity for name in "ab")
    assert one == again
    assert one.startswith("classifier@")
    assert one.endswith(":bicubic-antialias-16:uint8")
    trained.module.head.bias.data[0] += 1
    save(trained, tmp_path / "b.safetensors")
    assert network_catalogue.load(str(tmp_path / "b.safetensors")).identity != one
    assert read(tmp_path / "a.safetensors").notes == {"accuracy": 0.5}


def test_a_damaged_classifier_is_an_error_that_names_it(trained, tmp_path):
    file = tmp_path / "mine.safetensors"
    save(trained, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) - 100])
    with pytest.raises(UserError, match=r"mine\.safetensors"):
        network_catalogue.load(str(file))
    file.write_bytes(whole.replace(b'\\"width\\": 4', b'\\"width\\": 5'))
    with pytest.raises(UserError, match="do not fit its description"):
        network_catalogue.load(str(file))
    file.write_bytes(whole.replace(b'\\"width\\": 4', b'\\"wodth\\": 4'))
    with pytest.raises(UserError, match="wodth"):
        network_catalogue.load(str(file))


def test_two_classes_that_differ_are_learned_and_the_held_out_are_not_among_the_trained(folder, tmp_path):
    done = train(
        str(folder), tmp_path / "mine.safetensors", Plan(epochs=6, batch_size=16, width=4, mirror=False), quiet=True
    )
    assert (done.images, done.held_out) == (72, 8)
    assert done.accuracy == 1
    assert done.standard_error == 0
    assert done.trained.config.size == 16  # The pictures' own.
    network = network_catalogue.load(str(tmp_path / "mine.safetensors"))
    files = sorted(folder.rglob("*.png"))
    pictures = torch.stack([torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1) for file in files])
    guess = network.extract(pictures, ["logits"])["logits"].argmax(1)
    truth = torch.tensor([read(tmp_path / "mine.safetensors").config.classes.index(file.parent.name) for file in files])
    assert (guess == truth).float().mean() > 0.95


def test_one_seed_gives_one_file_and_another_seed_another(folder, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(str(folder), tmp_path / name, Plan(epochs=1, width=2, seed=seed), quiet=True)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    a, c = (read(tmp_path / name).module.state_dict() for name in "ac")
    assert not torch.equal(a["head.weight"], c["head.weight"])


def test_the_folders_batches_may_end_in_a_single_picture(folder, tmp_path):
    train(str(folder), tmp_path / "x", Plan(epochs=1, width=2, batch_size=71), quiet=True)  # 72 pictures to train on.


def test_a_tenth_of_every_class_is_held_out_and_never_trained_on():
    labels = torch.tensor([0] * 100 + [1] * 30 + [2] * 2)
    seen, held = split(labels, seed=0)
    assert torch.bincount(labels[held]).tolist() == [10, 3, 1]
    assert sorted([*seen.tolist(), *held.tolist()]) == list(range(132))
    assert not torch.equal(held, split(labels, seed=1)[1])
    with pytest.raises(UserError, match="Class number 1 has one picture"):
        split(torch.tensor([0, 0, 1]), seed=0)


def test_shifts_reach_an_eighth_of_the_side_and_a_mirrored_picture_is_its_mirror_image(rng):
    # One bright pixel in the middle says where each picture went.
    pictures = torch.zeros(4000, 1, 16, 16)
    pictures[:, :, 8, 6] = 1
    moved = augmented(pictures, rng, mirror=True)
    _, _, rows, columns = moved.nonzero().unbind(1)
    assert rows.unique().tolist() == [6, 7, 8, 9, 10]
    # Unmirrored the column is 6 + shift, mirrored 9 - shift, with the shift in -2 ... 2.
    counts = torch.bincount(columns, minlength=16)[4:12] / 4000
    assert_close(counts, torch.tensor([1, 1, 1, 2, 2, 1, 1, 1]) / 10, rtol=0, atol=0.03)
    still = augmented(pictures, rng, mirror=False).nonzero()[:, 3].unique().tolist()
    assert still == [4, 5, 6, 7, 8]


def test_the_learning_rate_rises_once_to_its_height_and_falls_to_a_hundredth():
    rates = [learning_rate(at / 1000, 0.4) for at in range(1001)]
    assert max(rates) == rates[200] == 0.4
    assert rates[:201] == sorted(rates[:201])
    assert rates[200:] == sorted(rates[200:], reverse=True)
    assert (round(rates[0], 6), round(rates[-1], 6)) == (0.004, 0.004)


def test_pictures_without_classes_are_refused(tmp_path):
    for number in range(3):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(tmp_path / f"{number}.png")
    with pytest.raises(UserError, match="one folder per class"):
        train(str(tmp_path), tmp_path / "x.safetensors", Plan(), quiet=True)
    assert not (tmp_path / "x.safetensors").exists()


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(UserError, match="epochs=0"):
        Plan(epochs=0)
    with pytest.raises(UserError, match="1 classes"):
        Config(classes=("cat",), size=16)


@pytest.mark.slow
def test_the_command_lists_fetches_nothing_for_the_weightless_and_trains(folder, tmp_path, capsys):
    from ganvas.cli.main import main

    def run(*arguments):
        with pytest.raises(SystemExit) as exit_:
            main(["features", *arguments])
        return exit_.value.code, *capsys.readouterr()

    code, out, _ = run()
    assert code == 0
    assert {"inception", "colours"} <= {network["name"] for network in json.loads(out)["networks"]}
    code, _, err = run("fetch", "colours")
    assert (code, "needs no weights" in err) == (2, True)
    code, _, err = run("train", str(folder), "-o", str(tmp_path / "mine.pt"))
    assert (code, "Give it that ending" in err) == (2, True)
    code, out, err = run("train", str(folder), "-o", str(tmp_path / "m.safetensors"), "--epochs", "1", "--width", "2")
    assert code == 0
    assert json.loads(out)["classes"] == ["left", "right"]
    assert "held out are named right" in err


@pytest.mark.parametrize(
    "place", ["a file.safetensors/mine.safetensors", "folder.safetensors", "/proc/mine.safetensors"]
)
def test_a_place_that_cannot_be_written_is_refused_before_the_training(folder, tmp_path, monkeypatch, place):
    (tmp_path / "a file.safetensors").write_bytes(b"")
    (tmp_path / "folder.safetensors").mkdir()
    monkeypatch.setattr("ganvas.features.classifier_training._fit", lambda *_, **__: pytest.fail("it was trained"))
    with pytest.raises(UserError, match=r"mine.safetensors cannot be written|a folder is there"):
        train(str(folder), tmp_path / place, Plan(epochs=1), quiet=True)


def test_a_write_that_fails_at_the_end_is_told_in_a_sentence(trained, tmp_path, monkeypatch):
    def fails(*_, **__):
        raise SafetensorError('Error while serializing: I/O error: No such file (os error 2) at path "x"')

    monkeypatch.setattr("ganvas.features.classifier.save_file", fails)
    with pytest.raises(UserError, match=r"mine.safetensors cannot be written .*I/O error.* Choose a folder"):
        save(trained, tmp_path / "mine.safetensors")
    assert list(tmp_path.iterdir()) == []
