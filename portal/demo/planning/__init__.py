"""What the officials of the demo city could do for the two shares."""
