"""How far layers of unlike width move in the first steps, with weights that are scaled at run time.

Two claims ask it, of Adam and of plain descent.
"""
