"""Uploaded files: size limits, and checking them."""
