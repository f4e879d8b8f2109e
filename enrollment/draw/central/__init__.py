"""Central placement 统筹安排 of the children who are left: the frozen list, the runs, and their proposals.

May import what `draw` may, and `draw.unserved`, which holds the places that officials chose.
"""
