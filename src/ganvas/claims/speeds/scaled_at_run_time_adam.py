"""Weights that are scaled at run time let layers of every width learn at the same speed under Adam.

Adam divides by the gradient's own scale, so that every stored weight moves by about the same amount; as all are
stored at unit deviation, the relative change is about one.
"""

from ganvas.claims.speeds._layers import same_speed

CLAIM = same_speed("Adam", optimiser="adam", lr=0.003)
