"""Arrival 报到: who is expected, the checks, the taps of the tablet at the door, no-shows, lists."""
