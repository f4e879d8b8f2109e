"""Changes of the roll, each a dated entry: counts, classes, moves of children between classes and kindergartens."""
