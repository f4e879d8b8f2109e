"""The page of a season: where its children are, what has to be ready before each step, and what is late."""
