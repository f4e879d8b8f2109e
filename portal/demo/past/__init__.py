"""The simulated past of the demo city: births, and children of past school years, which end at its roll."""
