"""Lists that need the kindergartens of their rows: staff counts."""
