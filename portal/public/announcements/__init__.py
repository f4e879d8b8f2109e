"""Announcements as everybody reads them, on pages and as a feed."""
