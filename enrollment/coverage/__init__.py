"""The two coverage figures: children on roll, public share, inclusive coverage, targets.

May import `results`, `chances` and everything below them.
"""
