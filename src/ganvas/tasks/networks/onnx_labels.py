"""Names and facts that an ONNX file carries, so that whoever opens it knows what goes in and what comes out."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn
    from torch.export import ExportedProgram

PIXELS = {
    "pixel_range": "[-1, 1], channels first",
    "pixel_rounding": "byte = clamp(round((x + 1) * 127.5), 0, 255)",
}
LATENTS = {"latents": "independent normal numbers of mean 0 and variance 1"}


@dataclass(frozen=True, kw_only=True)
class About:
    """What is known of a network beside its graph; for networks by others only its name.

    Attributes:
        inputs: Names in the order of ``forward``; a file has as many of them as it has inputs.
        output: Name of the only output.
    """

    facts: dict[str, str] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    output: str = ""

    def names(self, program: "ExportedProgram") -> tuple[list[str] | None, list[str] | None]:
        """Of inputs and outputs; None where nothing is known, or where the graph has others."""
        signature = program.graph_signature
        count = len(signature.user_inputs)
        if not self.inputs or count > len(self.inputs) or len(signature.user_outputs) != 1:
            return None, None
        return list(self.inputs[:count]), [self.output]


def about_network(name: str, whose: str, model: "nn.Module") -> About:
    """What a file of a network says: generators and decoders draw pictures, discriminators and critics judge them.

    Args:
        name: As in titles; Ganvas's own end in ":generator" or the like.
        whose: Whose weights it has, in words.
    """
    from ganvas.train.sampling.decode_module import DecodeModule

    facts = {"network": name, "weights": whose}
    part = name.rpartition(":")[2].rstrip(")") if "/" in name else ""
    if isinstance(model, DecodeModule):
        facts |= {"classes": json.dumps(model.trained.class_names)} if model.trained.class_names else {}
        part = "generator"
    if part in ("generator", "decoder"):
        return About(facts=facts | LATENTS | PIXELS, inputs=("z", "labels"), output="images")
    if part in ("discriminator", "critic"):
        return About(facts=facts | PIXELS, inputs=("images", "labels"), output="scores")
    return About(facts=facts)


def label(model: Any, about: About, *, any_batch: bool) -> Any:
    """The ONNX model with its facts as ``metadata_props``, and its free size called "batch"."""
    for key, value in about.facts.items():
        model.metadata_props.add(key=key, value=value)
    if any_batch:
        free = next((dim.dim_param for dim in _sizes(model.graph.input) if dim.dim_param), "")
        for dim in _sizes([*model.graph.input, *model.graph.output, *model.graph.value_info]):
            if dim.dim_param == free:
                dim.dim_param = "batch"
    return model


def _sizes(values: Any) -> list[Any]:
    return [dim for value in values for dim in value.type.tensor_type.shape.dim]
