"""Accounts of staff and officials: who may open them, the two people for each widening, and setting up a second factor."""
