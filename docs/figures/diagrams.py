"""Makes diagram_*.svg and, for a look without a browser, diagram_overview.png.

python docs/figures/diagrams.py
"""

from pathlib import Path

from PIL import Image

from ganvas.tasks.diagram import Diagram, diagram

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
}
GAP, COLUMNS = 24, 3


def main() -> None:
    pictures = []
    for name, (model, changes) in FIGURES.items():
        diagram(Diagram(model=model, set=changes, out=HERE / f"diagram_{name}.svg"))
        sample = HERE / f"diagram_{name}.png"
        diagram(Diagram(model=model, set=changes, out=sample, dpi=150))
        with Image.open(sample) as picture:
            pictures.append(picture.convert("RGB"))
        sample.unlink()
    sheet(pictures).save(HERE / "diagram_overview.png", optimize=True)


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
