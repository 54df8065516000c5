"""Average pooling dilutes what stands at one place, and maximum pooling does not."""

from ganvas.claims.pooling._signals import average_misses_more

CLAIM = average_misses_more("one place", "4 deviations at one of them", sparse=True, boureau="agrees")
