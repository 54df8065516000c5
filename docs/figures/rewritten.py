"""Makes rewrite_dcgan.svg: DCGAN's generator after `ganvas rewrite`, drawn from the file that it wrote.

python docs/figures/rewritten.py
"""

import tempfile
from pathlib import Path

from ganvas.tasks.networks.diagram import Diagram, diagram
from ganvas.tasks.networks.rewrite import Rewrite, rewrite


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dcgan.pt2"
        rewrite(Rewrite(model="gan/dcgan", out=file))
        diagram(Diagram(model=str(file), out=Path(__file__).with_name("rewrite_dcgan.svg")))


if __name__ == "__main__":
    main()
