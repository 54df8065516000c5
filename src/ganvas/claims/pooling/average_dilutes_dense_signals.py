"""Average pooling dilutes what stands everywhere, and maximum pooling does not."""

from ganvas.claims.pooling._signals import average_misses_more

CLAIM = average_misses_more("every place", "a quarter of a deviation at each of them", sparse=False, boureau="denies")
