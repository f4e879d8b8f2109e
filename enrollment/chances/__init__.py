"""Estimates before a run: simulated draws, the chance of each wish, the trial of a policy.

May import `draw` and everything below it, not `results`.
"""
