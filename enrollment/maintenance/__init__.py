"""Retention and invariants: called by jobs and commands, calls every other package.

May import everything in `enrollment`.
"""
