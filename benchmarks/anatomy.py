"""Tables of networks: Ganvas, torchinfo, torchlens and torch's own counter, in one run, and what each got wrong.

.venv-peers/bin/python benchmarks/anatomy.py [--dry]    (a part of `make bench-peers`; about a minute)

What is right is in ``anatomy_cases.py``, by hand and without Ganvas. Every tool runs the cases in a process of its own,
and each of the three large networks in another, as one command would: time is of the call alone, with imports done;
memory is what the process grew by. Two tables come out in Markdown: what is wrong in bold, what is right with biases
and norms counted in italics, a dash where a tool says nothing; then time and memory. A tool that is not installed is
left out, with a line that says so.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import math
import resource
import subprocess
import sys
import time
import warnings

from anatomy_cases import CASES, NETS
from history import record

TOOLS = ("ganvas", "torchinfo", "torchlens", "torch")
SAID = ("parameters", "macs", "macs_with_backward", "field", "operations")


def _ganvas(model, shape):
    """As `ganvas table` does, and the receptive field as its column."""
    from ganvas.anatomy.fields.receptive_field import cumulative
    from ganvas.anatomy.trace.trace import trace

    graph = trace(model, shape, input_gradients=True)
    fields = cumulative(graph)
    last = max((i for i, size in fields.items() if size), default=None)
    return {
        "parameters": graph.parameters,
        "macs": graph.macs,
        "macs_with_backward": graph.macs + graph.macs_backward,
        "field": fields[last][0] if last is not None else None,
        "operations": [node.op for node in graph.nodes],
    }


def _torchinfo(model, shape):
    import torchinfo

    said = torchinfo.summary(model, input_size=shape, verbose=0, mode="eval")
    rows = [row.class_name for row in said.summary_list if row.is_leaf_layer]
    return {"parameters": said.total_params, "macs": said.total_mult_adds, "operations": rows}


def _torchlens(model, shape):
    import torch
    import torchlens

    log = torchlens.trace(model, torch.ones(shape))  # As of 2.36; it has been renamed before.
    last = log.layer_list[-1]
    try:  # The middle unit's box along the last axis; ``size`` alone is an upper bound where phases differ.
        window = last.receptive_field.at(tuple(side // 2 for side in last.shape[2:])).axes[-1]
        field = int(window.theoretical_stop - window.theoretical_start) + 1
    except Exception:  # It has no answer, by an error of its own.
        field = None
    return {
        "parameters": int(log.num_params),
        "macs": int(log.total_macs_forward),
        "macs_with_backward": None if log.total_macs_backward is None else int(log.total_macs),
        "field": field,
        "operations": [op.func_name for op in log.layer_list if op.func_name],
    }


def _torch(model, shape):
    """``torch.utils.flop_counter``; backward for the single layers only: the large networks would take minutes."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    counted = []
    for backward in (False, True):
        if backward and math.prod(shape) > 10_000:
            continue
        x = torch.ones(shape, requires_grad=backward)
        with FlopCounterMode(display=False) as counter, torch.set_grad_enabled(backward):
            y = model(x)
            if backward:
                y.sum().backward()
        counted.append(counter.get_total_flops() // 2)
    return {"macs": counted[0], "macs_with_backward": counted[1] if len(counted) > 1 else None}


RUN = {"ganvas": _ganvas, "torchinfo": _torchinfo, "torchlens": _torchlens, "torch": _torch}
LOADED = {"ganvas": "ganvas.anatomy.fields.receptive_field", "torch": "torch.utils.flop_counter"}


def measured(tool, names):
    """What one tool says of the cases, how long each takes, and by how much the process grew."""
    import torch

    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    importlib.import_module(LOADED.get(tool, tool))
    found = {}
    for name in names:
        case = CASES[name]
        model = case.build().eval()
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        said = RUN[tool](model, case.shape)
        seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seen = said.pop("operations", None)
        if seen is not None and case.functions:
            said["operations"] = sum(any(f in op.lower() for op in seen) for f in case.functions)
        found[name] = said | {"seconds": round(seconds, 3), "MiB": round((after - before) / 1024, 1)}
    return found


def all_said(tools):
    """What every tool says, by tool and case."""
    groups = [[name] for name in NETS] + [[name for name in CASES if name not in NETS]]
    said = {tool: {} for tool in tools}
    for group in groups:
        for tool in tools:
            command = [sys.executable, __file__, "--one", tool, *group]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            if ran.returncode:
                reason = (ran.stderr.strip().splitlines() or ["killed"])[-1][:200]
                print(f"{tool} failed at {group[0]}: {reason}", file=sys.stderr)
                continue
            said[tool] |= json.loads(ran.stdout.splitlines()[-1])
    return said


def judged(value, right, extra):
    """A figure as a cell shows it, in italics if right with biases counted, in bold if wrong; and if it is wrong."""
    if value is None:
        return "–", False
    wrong = not right <= value <= right + extra
    mark = "**" if wrong else "*" if value != right else ""
    return f"{mark}{value:,}{mark}", wrong


def faults(said):
    """The table of what each got wrong, and how many figures that is by tool: (wrong, given)."""
    lines = ["| case | figure | right | " + " | ".join(said) + " |", "|---|---|--:|" + "--:|" * len(said)]
    sums = {tool: [0, 0] for tool in said}
    for name, case in CASES.items():
        for key in (key for key in SAID if key in case.right):
            extra = {"macs": case.extra, "macs_with_backward": 3 * case.extra}.get(key, 0)
            cells = []
            for tool in said:
                cell, wrong = judged(said[tool].get(name, {}).get(key), case.right[key], extra)
                cells.append(cell)
                sums[tool] = [sums[tool][0] + wrong, sums[tool][1] + (cell != "–")]
            lines.append(f"| {name} | {key.replace('_', ' ')} | {case.right[key]:,} | {' | '.join(cells)} |")
    lines.append("| wrong, of those given | | | " + " | ".join(f"{a} of {b}" for a, b in sums.values()) + " |")
    return "\n".join(lines), sums


def costs(said):
    """The table of time and memory on the large networks."""
    lines = ["| network | " + " | ".join(said) + " |", "|---|" + "--:|" * len(said)]
    for name in NETS:
        found = [said[tool].get(name) for tool in said]
        cells = [f"{f['seconds']:.1f} s, {f['MiB']:,.0f} MiB" if f else "failed" for f in found]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dry", action="store_true", help="add nothing to history.jsonl")
    parser.add_argument("--one", nargs="+", metavar=("TOOL", "CASE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.one[0], options.one[1:])))
        return
    tools = [tool for tool in TOOLS if importlib.util.find_spec(tool)]
    for tool in set(TOOLS) - set(tools):
        print(f"{tool} is not installed; `make bench-peers` runs with it.", file=sys.stderr)
    said = all_said(tools)
    table, sums = faults(said)
    versions = {tool: importlib.metadata.version(tool) for tool in tools}
    print(f"{', '.join(f'{tool} {version}' for tool, version in versions.items())}\n\n{table}\n\n{costs(said)}")
    if not options.dry:
        values = {f"{tool}_wrong": wrong for tool, (wrong, _) in sums.items()}
        for name in NETS:
            for tool in tools:
                cost = said[tool].get(name, {})
                values |= {
                    f"{name}, {tool}_{unit}": cost.get(key) for unit, key in (("sec", "seconds"), ("MiB", "MiB"))
                }
        record("anatomy", versions | values)
    if sums.get("ganvas", [0])[0]:
        raise SystemExit("Ganvas is wrong.")


if __name__ == "__main__":
    main()
