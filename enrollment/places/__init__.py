"""Kindergartens, programmes, places, service areas and the roll."""
