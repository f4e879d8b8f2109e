"""The season: calendar, rounds, and the rules of each area as policy files.

May import `ground`, not `places`.
"""
