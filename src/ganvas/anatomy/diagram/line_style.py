"""The look of every kind of layer: a colour that the colour-blind tell apart, and a letter for grey print."""

from dataclasses import dataclass

from ganvas.report.drawing.palette import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, VERMILION, YELLOW, luminance


@dataclass(frozen=True, kw_only=True)
class Look:
    """``letter`` stands in the box; the commonest kind has none."""

    name: str  # In the legend.
    fill: str
    letter: str = ""

    @property
    def ink(self) -> str:
        """The colour of text on it: whichever of white and black has more contrast."""
        light = luminance(self.fill)
        return "#ffffff" if 1.05 / (light + 0.05) > (light + 0.05) / (luminance(INK) + 0.05) else INK


LOOKS = {
    "input": Look(name="input", fill="#ffffff"),
    "plain": Look(name="convolution", fill=SKY),
    "transposed": Look(name="transposed", fill=ORANGE, letter="T"),
    "gated": Look(name="gated", fill=PURPLE, letter="G"),
    "spectral-normed": Look(name="spectral-normed", fill=GREEN, letter="S"),
    "dilated": Look(name="dilated", fill=VERMILION, letter="D"),
    "depthwise": Look(name="depthwise", fill="#3c2f80", letter="W"),
    "linear": Look(name="linear", fill=YELLOW, letter="L"),
    "attention": Look(name="attention", fill=BLUE, letter="A"),
    "resize": Look(name="resize", fill="#666e76", letter="R"),
    "pool": Look(name="pool", fill="#c4cad0", letter="P"),
    "other": Look(name="module", fill="#f3dcc4", letter="M"),
}
"""In the order of the legend."""

SIGNS = {"add": "+", "sub": "−", "cat": "c", "stack": "c", "mul": "×", "div": "÷", "matmul": "·", "lerp": "~"}
SIGN_NAMES = {"+": "sum", "−": "difference", "c": "concatenation", "×": "product", "÷": "quotient"}
SIGN_NAMES |= {"·": "matrix product", "~": "blend", "*": "other merge"}

_BAR = Look(name="normalisation", fill=INK)


def look_of(kind: str) -> Look:
    """Of a block; a normalisation by itself is a bar like the marks on layers, and has no entry of its own."""
    return _BAR if kind == "normalisation" else LOOKS.get(kind, LOOKS["other"])


def sign(operation: str) -> str:
    """What stands in a merge's circle."""
    return SIGNS.get(operation, "*")
