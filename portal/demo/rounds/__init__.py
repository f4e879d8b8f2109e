"""The rounds of the demo city: their families, and what follows after the main round."""
