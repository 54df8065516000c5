"""The JSON of an exported program: its operators, names, sizes and structures, as torch.export (schema 8) writes them.

torch builds Python source from this text and runs it, so every name must be a name. What does not bear on the values
(traces of the source, notes of other tools) is left out of the copy that torch gets.
"""

import json
import keyword
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from ganvas.core.errors import UserError
from ganvas.core.files.typed_json import ONE_FIELD, InRange, Matching, parse, require
from ganvas.nn.programs.program_operator import ProgramOperator
from ganvas.nn.programs.size_expression import SizeExpression
from ganvas.nn.programs.structure import Structure

ADVICE = (
    "Only programs of plain tensors and PyTorch's own operators are read, since anything else could run code of the "
    "file's. Export it again without it, with torch.export.save."
)
KEPT_NOTES = ("nn_module_stack",)  # The module that a step came from.
_NOT_A_KEYWORD = rf"(?!(?:{'|'.join(keyword.kwlist)})\Z)"
_PART = r"(?!__)[\w\-/:+ ]+"
NAME = Matching(rf"{_NOT_A_KEYWORD}[^\W\d]\w*", "a name")
Name = Annotated[str, NAME]
Path = Annotated[str, Matching(rf"{_PART}(\.{_PART})*", "a name of parts with dots between")]
Line = Annotated[str, Matching(r"[^\x00-\x1f\x7f\x85\u2028\u2029]*", "one line of text")]
Number = float | Literal["Infinity", "-Infinity", "NaN"]
DataType = Annotated[int, InRange(1, 64)]


class Hint(TypedDict, total=False):
    as_int: int
    as_bool: bool
    as_float: Number


class Expression(TypedDict):
    expr_str: Annotated[str, SizeExpression()]
    hint: NotRequired[Annotated[Hint, ONE_FIELD] | None]


class Symbolic(TypedDict, total=False):
    as_expr: Expression
    as_int: int
    as_float: Number
    as_bool: bool


class DeviceName(TypedDict):
    type: Literal["cpu", "cuda", "meta", "mps", "xpu"]
    index: NotRequired[Annotated[int, InRange(0, 1000)] | None]


class TensorKind(TypedDict):
    dtype: DataType
    sizes: list[Annotated[Symbolic, ONE_FIELD]]
    requires_grad: bool
    device: DeviceName
    strides: list[Annotated[Symbolic, ONE_FIELD]]
    storage_offset: Annotated[Symbolic, ONE_FIELD]
    layout: Annotated[int, InRange(0, 20)]


class Named(TypedDict):
    name: Name


class NamedSize(TypedDict, total=False):
    as_name: Name
    as_int: int
    as_float: Number
    as_bool: bool


class OptionalTensor(TypedDict, total=False):
    as_tensor: Named
    as_none: bool


class SubGraph(TypedDict):
    name: Name
    graph: "ProgramGraph"


class Complex(TypedDict):
    real: Number
    imag: Number


class InputValue(TypedDict, total=False):
    """What a program takes: no text, which torch would write into a source of checks."""

    as_none: bool
    as_tensor: Named
    as_int: int
    as_float: Number
    as_bool: bool
    as_sym_int: Annotated[NamedSize, ONE_FIELD]
    as_sym_float: Annotated[NamedSize, ONE_FIELD]
    as_sym_bool: Annotated[NamedSize, ONE_FIELD]


class ProgramValue(InputValue, total=False):
    as_tensors: list[Named]
    as_ints: list[int]
    as_floats: list[Number]
    as_string: str
    as_strings: list[str]
    as_bools: list[bool]
    as_sym_ints: list[Annotated[NamedSize, ONE_FIELD]]
    as_sym_floats: list[Annotated[NamedSize, ONE_FIELD]]
    as_sym_bools: list[Annotated[NamedSize, ONE_FIELD]]
    as_scalar_type: DataType
    as_memory_format: Annotated[int, InRange(0, 8)]
    as_layout: Annotated[int, InRange(0, 20)]
    as_device: DeviceName
    as_graph: SubGraph
    as_optional_tensor: Annotated[OptionalTensor, ONE_FIELD]
    as_optional_tensors: list[Annotated[OptionalTensor, ONE_FIELD]]
    as_complex: Complex
    as_nested_tensors: list[list[Named]]
    as_float_lists: list[list[Number]]


class NamedValue(TypedDict):
    name: Annotated[str, Matching(r"\w*", "a name")]
    arg: Annotated[ProgramValue, ONE_FIELD]
    kind: NotRequired[Literal[0, 1, 2] | None]


class Step(TypedDict):
    target: Annotated[str, ProgramOperator()]
    inputs: list[NamedValue]
    outputs: list[Annotated[ProgramValue, ONE_FIELD]]
    metadata: dict[str, str]
    is_hop_single_tensor_return: NotRequired[bool | None]
    name: NotRequired[Name | None]


class ProgramGraph(TypedDict):
    inputs: list[Annotated[InputValue, ONE_FIELD]]
    outputs: list[Annotated[ProgramValue, ONE_FIELD]]
    nodes: list[Step]
    tensor_values: dict[str, TensorKind]
    sym_int_values: dict[str, Annotated[Symbolic, ONE_FIELD]]
    sym_bool_values: dict[str, Annotated[Symbolic, ONE_FIELD]]
    sym_float_values: NotRequired[dict[str, Annotated[Symbolic, ONE_FIELD]]]
    is_single_tensor_return: bool
    custom_obj_values: NotRequired[dict[str, Literal["none"]]]


class UserValue(TypedDict):
    arg: Annotated[InputValue, ONE_FIELD]


class ParameterInput(TypedDict):
    arg: Named
    parameter_name: Path


class BufferInput(TypedDict):
    arg: Named
    buffer_name: Path
    persistent: bool


class ConstantInput(TypedDict):
    arg: Named
    tensor_constant_name: Path


class FixedInput(TypedDict):
    name: Name
    value: Annotated[InputValue, ONE_FIELD]


class InputRole(TypedDict, total=False):
    user_input: UserValue
    parameter: ParameterInput
    buffer: BufferInput
    tensor_constant: ConstantInput
    constant_input: FixedInput


class ChangedBuffer(TypedDict):
    arg: Named
    buffer_name: Path


class ChangedInput(TypedDict):
    arg: Named
    user_input_name: Name


class OutputRole(TypedDict, total=False):
    user_output: UserValue
    buffer_mutation: ChangedBuffer
    user_input_mutation: ChangedInput


class Signature(TypedDict):
    input_specs: list[Annotated[InputRole, ONE_FIELD]]
    output_specs: list[Annotated[OutputRole, ONE_FIELD]]


class CallSignature(TypedDict):
    inputs: list[Any]
    outputs: list[Any]
    in_spec: Annotated[str, Structure()]
    out_spec: Annotated[str, Structure()]
    forward_arg_names: NotRequired[list[Name] | None]


class ProgramCall(TypedDict):
    fqn: Literal[""]
    signature: CallSignature


class GraphModule(TypedDict):
    graph: ProgramGraph
    signature: Signature
    module_call_graph: list[Any]  # The whole first, checked as a ProgramCall; its modules are left out.
    metadata: NotRequired[dict[str, Any]]
    treespec_namedtuple_fields: NotRequired[dict[str, Any]]


class Bounds(TypedDict):
    min_val: int | None
    max_val: int | None


class Version(TypedDict):
    major: int
    minor: int


class Program(TypedDict):
    graph_module: GraphModule
    opset_version: dict[str, int]
    range_constraints: dict[str, Bounds]
    schema_version: Version
    verifiers: list[Literal["ATEN", "TRAINING", ""]]
    torch_version: NotRequired[str]
    guards_code: NotRequired[list[str]]


def checked_program(text: bytes, where: str) -> bytes:
    """A program's JSON as torch gets it, when nothing in it could do more than compute.

    Raises:
        UserError: something in it could, or it is damaged.
    """
    program = require(Program, parse(text, where, advice=ADVICE), where, strict=True, advice=ADVICE)
    module = program["graph_module"]
    for symbol in program["range_constraints"]:
        if SizeExpression().refuses(symbol):
            raise UserError(f"{where}: it bounds '{symbol[:40]!a}', which is no size. {ADVICE}")
    for graph in _graphs(module["graph"]):
        for step in graph["nodes"]:
            notes = {key: step["metadata"][key] for key in KEPT_NOTES if key in step["metadata"]}
            step["metadata"] = require(dict[str, Line], notes, f"{where} ({step['target']})", advice=ADVICE)
    first = module["module_call_graph"][:1]
    call = require(ProgramCall, first[0] if first else None, where, strict=True, advice=ADVICE)
    for values in (call["signature"]["inputs"], call["signature"]["outputs"]):
        require(list[Annotated[InputValue, ONE_FIELD]], values, where, strict=True, advice=ADVICE)
    module["module_call_graph"] = [call]
    module["metadata"], module["treespec_namedtuple_fields"], program["guards_code"] = {}, {}, []
    return json.dumps(program).encode()


def _graphs(graph: ProgramGraph) -> Iterator[ProgramGraph]:
    """A graph and those inside of it."""
    yield graph
    for step in graph["nodes"]:
        for given in step["inputs"]:
            if "as_graph" in given["arg"]:
                yield from _graphs(given["arg"]["as_graph"]["graph"])
