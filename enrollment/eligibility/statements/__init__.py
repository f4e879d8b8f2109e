"""Saves of a draft's household and grounds as one write each, like those of `enrollment.applications.statements`."""
