"""Measurements of the engine on synthetic markets."""
