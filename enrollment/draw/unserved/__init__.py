"""Children whom the season has left without a place: the board, their officers, what the family would accept, the places
that officers choose for central placement, and the words about those who end without one.

May import what `draw` may, and `draw.unplaced`; central placement reads the chosen places from here.
"""
