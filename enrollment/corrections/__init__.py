"""Corrections 更正 after the deadline: requested with a paper, decided by one or two people, and then put into effect.

It may import `draw` and everything below it, because a correction before publication makes the frozen list outdated.
"""
