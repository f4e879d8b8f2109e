"""Lists of births, of new housing estates, and of children of past school years by area."""
