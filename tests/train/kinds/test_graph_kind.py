"""A whole run on graphs through the commands: what it writes, what is drawn from it, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from ganvas.core import catalogue
from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.data.graphs.packed_graphs import prepare_graphs
from ganvas.losses.batches.graph_batch import Graphs
from ganvas.nn.layers.initialise import initialise
from ganvas.report.web import run_page, run_reader
from ganvas.tasks.data import Describe, Pack, describe, pack
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.sample import Sample, sample
from ganvas.tasks.train import Train, train
from ganvas.train.sheets import graph_sheets
from ganvas.train.trained import load

SETTINGS = ("hidden=8", "edge_hidden=4", "batch_size=8", "measure_n=16", "measure_kimg=0.16", "sample_kimg=0.08")
SOURCE = "graphs:alkanes,40,nodes=4"


def begin(out, *, data=SOURCE, kimg=0.16, **options):
    options = {"set": SETTINGS, "quiet": True, "estimate": False} | options
    return train(Train(model="graphs/autoregressive", data=data, out=out, kimg=kimg, **options))


@pytest.fixture(scope="module", autouse=True)
def _small_sheets():
    """Sheets of four graphs: most of a short run is the drawing of circles."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph_sheets, "SHOWN", 4)
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("graphs") / "run"
    assert begin(folder).finished
    return folder


def test_a_run_has_sheets_of_graphs_and_the_names_of_their_kinds(run):
    names = {path.name for path in (run / "samples").glob("*.png")}
    assert names == {"000000.000.png", "000000.080.png", "000000.160.png", "reals.png"}
    described = json.loads((run / "run.json").read_text())["data"]
    told = [described[name] for name in ("nodes", "node_names", "edge_names", "law", "count")]
    assert told == [4, ["C"], ["single"], "alkanes,nodes=4", 40]


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(run, tmp_path):
    begin(tmp_path / "run", kimg=0.08)
    begin(tmp_path / "run", kimg=0.16)
    for name in ("model/000000.160/model.safetensors", "samples/000000.160.png", "log.jsonl"):
        assert (tmp_path / "run" / name).read_bytes() == (run / name).read_bytes(), name


def test_drawn_graphs_are_written_as_edges_tables_and_sheets(run, tmp_path):
    for name in ("one.edges", "two.edges", "tables.npz", "sheet.svg", "sheet.png"):
        sample(Sample(run=run, n=6, out=tmp_path / name, seed=3))
    assert (tmp_path / "one.edges").read_bytes() == (tmp_path / "two.edges").read_bytes()
    with np.load(tmp_path / "tables.npz") as written:
        tables = written["tables"]
        assert written["node_names"].tolist() == ["C"]
    assert np.array_equal(tables, load(run).sample_graphs(6, seed=3))
    there = [table for table in tables if table.any()]
    read = prepare_graphs(str(tmp_path / "one.edges"), cache=tmp_path)
    assert sorted(map(np.count_nonzero, read.read(slice(None)))) == sorted(map(np.count_nonzero, there))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"out": "x.txt"}, "graphs are shown as a sheet"),
        ({"out": "x.png", "n": 1000}, "cannot be looked at"),
        ({"temperature": -1.0}, "at least 0"),
        ({"truncation": 0.5}, "Leave out --truncation"),
        ({"to": "zip"}, "Leave out --to"),
        ({"steps": 5}, "solves no equation"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_graphs_have_not_is_refused(run, tmp_path, options, message):
    out = tmp_path / options.get("out", "x.edges")
    with pytest.raises(UserError, match=message):
        sample(Sample(run=run, **{**options, "out": out}))
    assert not out.exists()


def test_graphs_are_measured_beside_real_ones_and_the_run_keeps_it(run, tmp_path):
    found = measure(Measure(a=str(run), n=20, quiet=True))
    values = {one.metric: one.value for one in found.results}
    assert (found.unit, found.n, found.own) == ("graphs", 20, True)
    assert values.keys() == {one.metric for one in found.floor} >= {"valid", "vun", "class_chi2", "orbit_mmd.tv"}
    assert found.written is not None
    (tmp_path / "graphs.edges").write_text("a b\nb c\nc d\n\na b\na c\na d\n")
    for options in (
        {"a": str(tmp_path / "graphs.edges"), "b": "graphs:trees,50,nodes=4"},
        {"a": str(run), "b": SOURCE},
    ):
        one = {each.metric: each.value for each in measure(Measure(**options, quiet=True)).results}
        assert one["valid"] >= 0
    (tmp_path / "larger.edges").write_text("a b\nb c\nc d\n\na b\nb c\nc d\nd e\n")
    larger = measure(Measure(a=str(tmp_path / "larger.edges"), b="graphs:trees,50,nodes=4", quiet=True))
    assert (larger.n, {one.metric: one.value for one in larger.results}["valid"]) == (2, 0.5)  # One has a node more.
    for options, message in (({"metrics": ("degree",)}, "Did you mean 'degree_mmd'"), ({"n": 1}, "at least 2")):
        with pytest.raises(UserError, match=message):
            measure(Measure(a=str(run), **options))
    with pytest.raises(UserError, match="is no run"):
        measure(Measure(a="graphs:trees,50"))


def test_one_graph_is_learnt_by_walks_and_measured_along_edge_overlap(tmp_path):
    settings = ("hidden=4", "embedding=4", "critic_hidden=4", "length=4", "walks=20", "batch_size=8", "measure_kimg=-1")
    made = {"model": "graphs/netgan", "out": tmp_path / "run", "kimg": 0.016, "quiet": True, "estimate": False}
    with pytest.raises(UserError, match="has 5 graphs, and this model learns one"):
        train(Train(**made, data="graphs:er,5,nodes=8", set=settings))
    assert train(Train(**made, data="graphs:er,1,nodes=8,p=0.5,seed=1", set=(*settings, "sample_kimg=1"))).finished
    found = measure(Measure(a=str(tmp_path / "run"), n=4, quiet=True))
    values = {one.metric: one.value for one in found.results}
    assert set(values) >= {"edge_overlap", "triangles", "triangles.real", "components"}
    assert 0 <= values["edge_overlap"] <= 1
    assert {one.metric: one.value for one in found.floor}["largest_degree"] == values["largest_degree.real"]


def test_the_page_of_a_run_shows_graphs(run):
    page = run_page.html(run_reader.read(run))
    assert "40 graphs" in page
    assert "data:image/png" in page


def test_a_source_is_described_and_packed_by_the_commands(tmp_path):
    found = describe(Describe(source="graphs:trees,30,nodes=5"))
    assert (found.count, found.sizes, found.edges, found.law) == (30, {"5": 30}, {"4": 30}, "trees,nodes=5")
    packed = pack(Pack(source="graphs:trees,30,nodes=5", out=tmp_path / "pack"))
    assert (packed.count, packed.nodes, packed.node_names) == (30, 5, ["node"])
    with pytest.raises(UserError, match="graphs, which have no pixels"):
        pack(Pack(source="graphs:trees,30", out=tmp_path / "other", size="8"))


def test_what_does_not_fit_is_refused_before_anything_is_written(tmp_path):
    cases = [
        ({"set": (*SETTINGS, "node_kinds=2")}, "node_kinds=2, but"),
        ({"set": ("nodes=1",)}, "nodes=1 must be at least 2"),
        ({"other": SOURCE}, "--other"),
        ({"held_out": SOURCE}, "--held-out"),
        ({"data": "scenes:20"}, "graphs are wanted"),
    ]
    for options, message in cases:
        with pytest.raises(UserError, match=message):
            begin(tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "name", [entry.name for entry in catalogue.entries("models") if entry.name.startswith("graphs/")]
)
def test_two_ranks_of_half_a_batch_see_what_one_sees_of_a_whole(name, together):
    module = catalogue.load("models", name)
    model = module.Model(replace(module.TINY, batch_size=8))
    initialise(model, stream(0, "weights"))
    nodes = module.TINY.nodes
    edges = (torch.rand(8, nodes, nodes, generator=stream(7, "edges")) < 0.5).long().triu(1)
    tables = edges + edges.mT + torch.eye(nodes, dtype=torch.long)
    halves = [
        Graphs(tables=ranks.share(tables), ranks=ranks, rng=stream(3, "noise"))
        for ranks in (Ranks(rank=0, count=2), Ranks(rank=1, count=2))
    ]
    for phase in model.phases():
        whole = phase.loss(Graphs(tables=tables, rng=stream(3, "noise")))
        parts = together(
            [lambda half=half, phase=phase: phase.loss(half.with_rng(stream(3, "noise"))) for half in halves]
        )
        for key, terms in whole.items():
            # Rank 0 has the even rows, rank 1 the odd ones.
            assert_close(torch.stack([part[key] for part in parts], 1).flatten(), terms, rtol=1e-4, atol=1e-5)
