"""Makes diagram_*.svg and, for a look without a browser, diagram_overview.png.

python docs/figures/diagrams.py
"""

from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from ganvas.tasks.networks.diagram import Diagram, diagram

if TYPE_CHECKING:
    from torch import nn

HERE = Path(__file__).parent
FIGURES = {
    "progan_generator": ("gan/progan:generator", ("resolution=1024",)),
    "progan_discriminator": ("gan/progan:discriminator", ("resolution=1024",)),
    "dcgan_generator": ("gan/dcgan:generator", ()),
    "dcgan_discriminator": ("gan/dcgan:discriminator", ()),
    "unet": ("unet", ()),
    "resnet50": ("resnet50", ()),
    "densenet121": ("densenet121", ()),
    "gated_generator": ("gated_generator", ()),
    "sn_patchgan": ("sn_patchgan", ()),
    "transformer": (f"{__file__}:encoder", ()),
}
INPUT = {"transformer": ("1,128:int64",)}
GAP, COLUMNS = 24, 3


def encoder() -> "nn.Module":
    """The base model's encoder of Vaswani et al. 2017, table 3, without its positions."""
    from torch import nn

    layer = nn.TransformerEncoderLayer(512, 8, 2048, batch_first=True)
    return nn.Sequential(nn.Embedding(37000, 512), nn.TransformerEncoder(layer, 6, enable_nested_tensor=False))


def main() -> None:
    pictures = []
    for name, (model, changes) in FIGURES.items():
        known = INPUT.get(name, ())
        diagram(Diagram(model=model, set=changes, input=known, out=HERE / f"diagram_{name}.svg"))
        sample = HERE / f"diagram_{name}.png"
        diagram(Diagram(model=model, set=changes, input=known, out=sample, dpi=150))
        with Image.open(sample) as picture:
            pictures.append(picture.convert("RGB"))
        sample.unlink()
    sheet(pictures).quantize(256, dither=Image.Dither.NONE).save(HERE / "diagram_overview.png", optimize=True)


def sheet(pictures: list[Image.Image]) -> Image.Image:
    """Columns filled from the top, each picture under the shortest."""
    width = pictures[0].width + GAP
    heights, places = [0] * COLUMNS, []
    for picture in pictures:
        column = heights.index(min(heights))
        places.append((column * width, heights[column]))
        heights[column] += picture.height + GAP
    page = Image.new("RGB", (width * COLUMNS - GAP, max(heights) - GAP), "white")
    for picture, place in zip(pictures, places, strict=True):
        page.paste(picture, place)
    return page


if __name__ == "__main__":
    main()
