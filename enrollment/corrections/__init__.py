"""Corrections 更正 after the deadline: requested with a paper, decided by one or two people, and then put into effect.

It imports the draw and everything below, because a correction before publication outdates the frozen list.
"""
