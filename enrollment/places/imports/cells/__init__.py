"""Cells of a list that several rows of the database answer to."""
