"""Two front doors of the house, both thin: pages, and background work.  They own the transaction and hold no rule."""
