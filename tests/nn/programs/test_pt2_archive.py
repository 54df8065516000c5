"""Archives by hand: several of the forms below run code where bare ``torch.export.load`` takes them."""

import io
import json
import os
import pickle
import zipfile

import pytest
import torch
from torch import nn

from ganvas.core.errors import UserError
from ganvas.nn.programs.program_files import load_exported


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)
        self.scale = torch.full((2,), 2.0)

    def forward(self, x):
        return {"features": self.conv(x).mean((2, 3)) * self.scale}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "good.pt2"
    n = torch.export.Dim("n", min=1, max=64)
    net = Net()
    program = torch.export.export(net, (torch.zeros(2, 3, 8, 8),), dynamic_shapes=({0: n},))
    torch.export.save(program, path, extra_files={"ganvas.json": "{}"})
    return net, path


def rewritten(source, path, *, change=None, more=()):
    """A copy in which ``change`` gives other bytes for a record, with more records."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = change(name.partition("/")[2], old.read(name)) if change else None
            new.writestr(name, old.read(name) if data is None else data)
        for name, data in more:
            new.writestr(f"good/{name}", data)
    return path


class Trap:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def torch_saved(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def test_what_torch_saves_is_read_as_it_is(saved):
    net, path = saved
    loaded = load_exported(path)
    x = torch.rand(5, 3, 8, 8)
    assert torch.equal(loaded.module(x)["features"], net(x)["features"])
    assert [tuple(one.shape) for one in loaded.example] == [(2, 3, 8, 8)]
    assert loaded.extra == {"ganvas.json": b"{}"}
    with pytest.raises(AssertionError, match="Guard failed"):
        loaded.module(torch.rand(5, 3, 9, 9))


class Branching(nn.Module):
    """Graphs inside of a graph, sizes computed from sizes, a child whose name is no Python name, infinite numbers."""

    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleDict({"to-rgb": nn.Linear(4, 4)})

    def forward(self, x):
        with torch.no_grad():
            y = self.parts["to-rgb"](x)
        y = torch.cond(x.sum() > 0, lambda v: v + 1, lambda v: v - 1, (y,))
        masked = y.masked_fill(y > 0, float("-inf")).amax(1)
        return [y.reshape(x.shape[0] // 2, -1), (torch.einsum("ij,kj->ik", y, y), masked)]


@pytest.mark.slow
def test_graphs_inside_of_graphs_and_derived_sizes_are_read(tmp_path):
    net, half = Branching(), torch.export.Dim("half", min=1, max=30)
    program = torch.export.export(net, (torch.ones(6, 4),), dynamic_shapes=({0: 2 * half},))
    torch.export.save(program, tmp_path / "x.pt2")
    loaded = load_exported(tmp_path / "x.pt2").module
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    rows, (products, masked) = loaded(x)
    expected, (expected_products, expected_masked) = net(x)
    assert torch.equal(rows, expected)
    assert torch.equal(products, expected_products)
    assert torch.equal(masked, expected_masked)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_pickled_example_inputs_are_refused(saved, tmp_path, protocol):
    evil = pickle.dumps(Trap(tmp_path / "ran"), protocol)
    path = rewritten(saved[1], tmp_path / "x.pt2", change=lambda name, _: evil if "sample_inputs" in name else None)
    with pytest.raises(UserError, match="example inputs that are other objects than tensors"):
        load_exported(path)
    assert not (tmp_path / "ran").exists()


def test_objects_in_a_file_of_example_inputs_are_refused(saved, tmp_path):
    evil = torch_saved(((Trap(tmp_path / "ran"),), {}))
    path = rewritten(saved[1], tmp_path / "x.pt2", change=lambda name, _: evil if "sample_inputs" in name else None)
    with pytest.raises(UserError, match="example inputs that are other objects than tensors"):
        load_exported(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kind", ["weights", "constants"])
def test_pickled_weights_and_constants_are_refused(saved, tmp_path, kind):
    def change(name, data):
        if name.endswith(f"{kind}_config.json"):
            said = json.loads(data)
            next(iter(said["config"].values()))["use_pickle"] = True
            return json.dumps(said)
        return torch_saved(Trap(tmp_path / "ran")) if name.startswith(f"data/{kind}/") else None

    with pytest.raises(UserError, match="use_pickle' is true"):
        load_exported(rewritten(saved[1], tmp_path / "x.pt2", change=change))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "name",
    [
        "data/aotinductor/model/x.wrapper.so",
        "data/constants/opaque_obj_0",
        "data/constants/custom_obj_0",
        "data/executorch/x.pte",
        "models/other.json",
        "../outside",
        "data/weights/weight_0/../x",
    ],
)
def test_records_of_other_kinds_are_refused(saved, tmp_path, name):
    with pytest.raises(UserError, match="neither a tensor nor the program"):
        load_exported(rewritten(saved[1], tmp_path / "x.pt2", more=[(name, b"x")]))


def test_the_older_forms_whose_weights_are_pickled_are_refused(saved, tmp_path):
    with zipfile.ZipFile(tmp_path / "old.pt2", "w") as archive:
        archive.writestr("version", "8.14")
        archive.writestr("serialized_exported_program.json", "{}")
        archive.writestr("serialized_state_dict.pt", pickle.dumps(Trap(tmp_path / "ran")))
    between = [("data/weights/model.pt", pickle.dumps(Trap(tmp_path / "ran")))]
    for path in (tmp_path / "old.pt2", rewritten(saved[1], tmp_path / "x.pt2", more=between)):
        with pytest.raises(UserError, match="older versions of PyTorch"):
            load_exported(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(saved, tmp_path):
    """Python's reader would take the last of them and torch's the first."""
    with pytest.raises(UserError, match="twice"):
        load_exported(rewritten(saved[1], tmp_path / "x.pt2", more=[("models/model.json", b"{}")]))


def program(saved, tmp_path, edit):
    def change(name, data):
        if name != "models/model.json":
            return None
        said = json.loads(data)
        edit(said, said["graph_module"])
        return json.dumps(said)

    return load_exported(rewritten(saved[1], tmp_path / "x.pt2", change=change))


def renamed(value, old, new):
    """Every text that is just ``old`` as ``new``."""
    if isinstance(value, dict):
        return {renamed(key, old, new): renamed(one, old, new) for key, one in value.items()}
    if isinstance(value, list):
        return [renamed(one, old, new) for one in value]
    return new if value == old else value


@pytest.mark.parametrize("name", ["y=__import__('os').mkdir('ran')#", "x\nimport os", "", "class", "a.b", "a b"])
def test_names_that_are_no_names_are_refused(saved, tmp_path, name):
    """torch writes them into Python source."""

    def edit(said, module):
        module["graph"] = renamed(module["graph"], "mean", name)

    with pytest.raises(UserError, match=r"and should be a name"):
        program(saved, tmp_path, edit)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda said, module: module["graph"]["nodes"][0].update(target="torch.os.mkdir"), "an operator of PyTorch's"),
        (
            lambda said, module: module["graph"]["nodes"][0].update(target="torch.ops.aten.from_file.default"),
            "operator",
        ),
        (
            lambda said, module: module["signature"]["input_specs"][0]["parameter"].update(parameter_name='a").x("'),
            "dots",
        ),
        (
            lambda said, module: module["signature"]["input_specs"][0]["parameter"].update(parameter_name="__class__"),
            "dots",
        ),
        (
            lambda said, module: module["module_call_graph"][0]["signature"].update(forward_arg_names=["x=open('y')"]),
            "name",
        ),
        (
            lambda said, module: module["module_call_graph"][0]["signature"].update(in_spec='[1, {"type": "os"}]'),
            "tuples",
        ),
        (
            lambda said, module: said["range_constraints"].update({"s0": {"min_val": "print(1)", "max_val": 3}}),
            "whole number",
        ),
        (lambda said, module: said["range_constraints"].update({"f(x)": {"min_val": 1, "max_val": 3}}), "no size"),
        (lambda said, module: said.update(verifiers=["x"]), "verifiers"),
        (lambda said, module: said.update(other=1), "not known to this version"),
        (lambda said, module: module["graph"]["inputs"][0].update(as_int=1), "just one field"),
        (lambda said, module: module["graph"]["inputs"].append({"as_string": "') or print('"}), "not known"),
        (lambda said, module: module["graph"].update(custom_obj_values={"x": {"name": "x", "class_fqn": "y"}}), "none"),
        (
            lambda said, module: module["graph"]["nodes"][0]["inputs"][0].update(arg={"as_operator": "torch.load"}),
            "known",
        ),
        (lambda said, module: module["graph"]["nodes"][0]["metadata"].update(nn_module_stack="a\nb"), "one line"),
    ],
)
def test_a_program_that_names_other_things_is_refused(saved, tmp_path, edit, message):
    with pytest.raises(UserError, match=message):
        program(saved, tmp_path, edit)


def test_checks_and_traces_of_source_that_a_file_brings_are_not_run(saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evil = "__import__('os').mkdir('ran')"

    def edit(said, module):
        said["guards_code"] = [f"{evil} or True"]
        module["metadata"] = {"custom": '{"a": 1}'}
        for step in module["graph"]["nodes"]:
            step["metadata"] |= {"stack_trace": f'File "x", line 1\r{evil}', "source_fn_stack": "a,torch.os.mkdir"}

    loaded = program(saved, tmp_path, edit)
    assert loaded.module(torch.zeros(1, 3, 8, 8))["features"].shape == (1, 2)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"sizes": [{"as_int": 10**12}], "strides": [{"as_int": 1}]},
        {"storage_offset": {"as_int": 10**6}},
        {"sizes": [{"as_int": 2}], "strides": [{"as_int": 10**9}]},
        {"sizes": [{"as_int": 2}], "strides": []},
    ],
)
def test_a_tensor_that_reaches_beyond_its_bytes_is_refused(saved, tmp_path, change):
    def edit(name, data):
        if not name.endswith("weights_config.json"):
            return None
        said = json.loads(data)
        said["config"]["conv.bias"]["tensor_meta"] |= change
        return json.dumps(said)

    with pytest.raises(UserError, match="not as long as it says"):
        load_exported(rewritten(saved[1], tmp_path / "x.pt2", change=edit))


@pytest.mark.slow
def test_a_damaged_archive_is_one_sentence(saved, tmp_path):
    whole = saved[1].read_bytes()
    flipped = [whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :] for at in range(0, len(whole), len(whole) // 40)]
    refused = 0
    for data in (b"", b"PK", whole[: len(whole) // 2], whole[:-30], *flipped):
        (tmp_path / "x.pt2").write_bytes(data)
        try:
            load_exported(tmp_path / "x.pt2")
        except UserError as error:
            assert str(tmp_path / "x.pt2") in str(error)  # noqa: PT017
            refused += 1
    assert refused > 20


def test_torch_prints_no_traceback_of_its_own_before_the_sentence(saved, tmp_path, capfd, caplog):
    def edit(said, module):
        module["graph"]["tensor_values"]["x"]["sizes"] = [{"as_int": -1}] * 4

    with pytest.raises(UserError, match="not a program that this PyTorch can load"):
        program(saved, tmp_path, edit)
    assert "Traceback" not in "".join(capfd.readouterr()) + caplog.text
