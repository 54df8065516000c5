"""Weights that are scaled at run time let layers of every width learn at the same speed under plain descent.

The gradient of a stored weight carries the scale once more, so that wide layers move less: the same speed is Adam's
doing as much as the scaling's.
"""

from ganvas.claims.speeds._layers import same_speed

CLAIM = same_speed("plain descent", optimiser="sgd", lr=0.01)
