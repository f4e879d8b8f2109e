"""Visits to open days of kindergartens."""
