"""Lists of births and of children of past school years by area."""
