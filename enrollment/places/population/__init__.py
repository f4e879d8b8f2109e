"""Births and the children of past school years by area, from which the next years are forecast."""
