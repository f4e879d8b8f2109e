"""Announcements of the city and its areas: written in both languages, approved, corrected and withdrawn with their history."""
