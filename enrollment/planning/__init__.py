"""Plans of measures for the two shares: the question, the numbers it starts from, the search, and what it found."""
