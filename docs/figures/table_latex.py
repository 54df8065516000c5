"""Makes table_progan.png: the LaTeX of a table, as pdflatex sets it (needs pdflatex and pdftoppm).

python docs/figures/table_latex.py
"""

import re
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

from ganvas.report.pictures.grid import save_png
from ganvas.tasks.networks.table import Table, table


def main() -> None:
    text = table(
        Table(model="gan/progan:discriminator", set=("resolution=1024",), format="latex"),
    ).printed
    assert text is not None
    packages = re.match(r"% Needs (.*)\n", text)
    assert packages is not None
    page = rf"\documentclass{{article}}\pagestyle{{empty}}{packages[1]}\begin{{document}}{text}\end{{document}}"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "page.tex").write_text(page, encoding="utf-8")
        for command in (
            ["pdflatex", "-interaction=batchmode", "page"],
            ["pdftoppm", "-png", "-r", "150", "page.pdf", "p"],
        ):
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
        whole = Image.open(next(Path(folder).glob("p*.png"))).convert("L")
    box = ImageOps.invert(whole).getbbox()
    assert box is not None
    left, top, right, bottom = box
    shown = whole.crop((left - 12, top - 12, right + 12, bottom + 12))
    save_png(shown.quantize(16), Path(__file__).with_name("table_progan.png"))


if __name__ == "__main__":
    main()
