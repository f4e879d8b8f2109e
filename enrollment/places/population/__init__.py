"""Births, new housing estates and the children of past school years by area, from which the next years are forecast."""
