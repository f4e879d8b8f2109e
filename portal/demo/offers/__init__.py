"""Answers, arrivals and the supplementary round of the demo city."""
