"""The shapes that travel between floors, named once.

jaxtyping checks them in tests only; in production they are documentation that cannot rot.
"""

from jaxtyping import Float, Int, UInt8
from torch import Tensor

Images = Float[Tensor, "n c h w"]  # colour in [-1, 1]
OtherImages = Float[Tensor, "n c2 h2 w2"]  # likewise, of another kind beside them: channels and size may differ
Bytes = UInt8[Tensor, "n c h w"]  # colour in 0..255, at the border only
Masks = Float[Tensor, "n 1 h w"]  # 1 where a picture is known, 0 where it is to be filled in
Samples = Float[Tensor, "n *shape"]  # pictures (n, c, h, w) or points (n, d)
PerSample = Float[Tensor, " n"]
Latents = Float[Tensor, "n z"]
Labels = Int[Tensor, " n"]
Features = Float[Tensor, "n d"]
Waves = Float[Tensor, "*n samples"]  # sound in [-1, 1)
Tokens = Int[Tensor, "n l"]  # numbers of characters or words in an alphabet; END from the end of a line on
GraphTables = Int[
    Tensor, "n v v"
]  # kinds of edges, of nodes on the diagonal; 0 is none: ganvas.core.sample_sizes.graph_size
Scalar = Float[Tensor, ""]
