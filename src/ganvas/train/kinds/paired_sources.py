"""Sources of pairs: ``--data`` and ``--target``, prepared at one size and checked against each other.

A model whose settings label pixels takes label maps as its target, one whose settings size a second picture takes
pictures. Sources that hold the label maps of their own pictures (``scenes``) need no ``--target``.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ganvas.core.errors import UserError
from ganvas.data.packed import Packed
from ganvas.data.pairs.label_maps import PackedLabelMaps, holds_masks, prepare_label_maps
from ganvas.data.pairs.pairing import matched_rows, require_equal_sizes, selected_of, stem_of
from ganvas.data.sources.locations import lasting_name
from ganvas.data.survey import survey
from ganvas.losses.capabilities import LabelsPixels, SizesTargets
from ganvas.train.feeds.paired_feed import LabelMaps, Pairs
from ganvas.train.feeds.pixel_classes import class_table, count_classes
from ganvas.train.kinds.kind import SourceRequest
from ganvas.train.kinds.packed_sources import packed_pictures
from ganvas.train.kinds.picture_checks import channels_of, check_source
from ganvas.train.trained import Trained


def target_of(request: SourceRequest, config: object) -> str | None:
    """The source of the target; None of a model that learns no pairs.

    Raises:
        UserError: one is given and not wanted, or wanted and not given.
    """
    return _target(request.data, request.target, "--target", config)


def held_out_target_of(request: SourceRequest, config: object) -> str | None:
    """The source of the target of held-out pictures; None where none are held out, or no pairs are learnt."""
    if request.held_out is None:
        if request.held_out_target is not None:
            raise UserError(
                f"--held-out-target {request.held_out_target} belongs to pictures that are kept apart. Name them: "
                "--held-out SRC."
            )
        return None
    return _target(request.held_out, request.held_out_target, "--held-out-target", config)


def _target(data: str, target: str | None, option: str, config: object) -> str | None:
    if isinstance(config, LabelsPixels):
        if target is None and not holds_masks(data):
            raise UserError(
                f"This model learns the class of every pixel, and {data} does not hold them. Name the label maps, "
                f"pictures of one number per pixel with the names of those: {option} SRC."
            )
        return target or data
    if isinstance(config, SizesTargets):
        if target is None:
            raise UserError(
                f"This model learns from pairs of pictures, and {data} alone was given. Name the pictures that belong "
                f"to them, with the same names: {option} SRC."
            )
        return target
    if target is not None:
        raise UserError(f"{option} {target}: this model learns no pairs. Leave it out.")
    return None


def target_fields(
    request: SourceRequest, config: Any, chosen: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields of a model's ``Config`` that the target decides: channels of pictures, classes of label maps.

    Args:
        chosen: What the pictures decided.
        given: What a person set.
    """
    target = target_of(request, config)
    if target is None:
        return {}
    if isinstance(config, LabelsPixels):
        if "pixel_classes" in given:
            return {}
        size = _size(config, {**chosen, **given})
        maps = prepare_label_maps(target, size=size, fit=request.fit, broken=request.broken, quiet=request.quiet)
        return {"pixel_classes": max(len(maps.class_names), count_classes(maps.counts, void=_void(config, given)), 2)}
    if "other_channels" in given:
        return {}
    return {"other_channels": channels_of(survey(target, quiet=request.quiet))}


def _size(config: Any, fields: Mapping[str, Any]) -> tuple[int, int]:
    """Of the pictures of a model with these fields."""
    return replace(config, **fields).picture.size


def _void(config: LabelsPixels, given: Mapping[str, Any]) -> int:
    return int(given.get("void", config.void))


def check_targets(request: SourceRequest, config: Any) -> None:
    """What headers show: files that have no partner, or one of another size.

    Raises:
        UserError: a pair cannot be.
    """
    held_out = held_out_target_of(request, config)
    for data, target in ((request.data, target_of(request, config)), (request.held_out, held_out)):
        if data is None or target is None or target == data:
            continue
        if isinstance(config, SizesTargets):
            check_source(target, request, size=config.other_picture.size, channels=config.other_picture.channels)
        require_equal_sizes(data, target)


def prepare_pairs(
    data: str, target: str | None, packed: Packed, request: SourceRequest, config: Any, *, size: tuple[int, int]
) -> Pairs | None:
    """The pictures of a source with what belongs to each; None of a model that learns no pairs.

    Args:
        data: The source of the pictures.
        target: The source of what belongs to them.
        packed: The pictures, packed.
        size: Height and width of the pictures.

    Raises:
        UserError: the sources do not pair, or labels are not among the classes.
    """
    if target is None:
        return None
    if target != data:
        require_equal_sizes(data, target)
    if isinstance(config, LabelsPixels):
        maps = prepare_label_maps(target, size=size, fit=request.fit, broken=request.broken, quiet=request.quiet)
        table = class_table(maps, config.pixel_classes, void=config.void, spec=target)
        found: Packed | LabelMaps = LabelMaps(packed=maps, classes=table)
        names, broken = (maps.names if target != data else None), maps.broken
    else:
        found = packed_pictures(target, request, size=size, channels=config.other_picture.channels)
        names, broken = found.names, tuple(name for name, _ in found.manifest["broken"])
    rows, target_rows = _paired_rows(packed, len(_table(found)), names, broken, data, target)
    return Pairs(pictures=packed, rows=rows, target=found, target_rows=target_rows)


def pairs_of_run(trained: Trained, *, quiet: bool = False) -> Pairs:
    """The pairs that a model was trained on, prepared as they were then.

    Raises:
        UserError: they are not where they were, or are others by now.
    """
    data = trained.data
    request = SourceRequest(
        data=data["spec"],
        target=data["target"]["spec"],
        quiet=quiet,
        **{key: data[key] for key in ("fit", "background", "broken") if key in data},
    )
    size = (trained.height, trained.width)
    pairs = prepare_pairs(
        request.data, request.target, trained.reals(quiet=quiet), request, trained.model.config, size=size
    )
    assert pairs is not None
    if _table(pairs.target).fingerprint != data["target"]["fingerprint"]:
        raise UserError(f"{request.target} holds other targets now than those that the run was trained on.")
    return pairs


def _table(found: Packed | LabelMaps) -> Packed | PackedLabelMaps:
    return found.packed if isinstance(found, LabelMaps) else found


def _paired_rows(
    packed: Packed, count: int, names: list[str] | None, broken: tuple[str, ...], data: str, target: str
) -> tuple[np.ndarray, np.ndarray]:
    """By names where both sides have them, else by places."""
    if packed.names is None or names is None:
        if len(packed) != count:
            raise UserError(
                f"{data} has {len(packed):,} pictures and {target} {count:,}, and they have no names to be paired by. "
                "Give as many of one as of the other, in the same order, or folders of files with the same names."
            )
        return np.arange(count), np.arange(count)
    first, second = selected_of(data), selected_of(target)
    lost = {stem_of(name, first) for name, _ in packed.manifest["broken"]} | {stem_of(name, second) for name in broken}
    return matched_rows(
        [stem_of(name, first) for name in packed.names],
        [stem_of(name, second) for name in names],
        specs=(data, target),
        may_lack=frozenset(lost),
    )


def described_target(target: str, pairs: Pairs) -> dict[str, Any]:
    """What run.json says of the target."""
    table = _table(pairs.target)
    names = list(table.class_names) if isinstance(table, PackedLabelMaps) else []
    return {
        "spec": lasting_name(target),
        "fingerprint": table.fingerprint,
        "count": len(pairs),
        "pixel_class_names": names,
    }
