"""Two front doors of the house, both thin: pages, and background work.  They own the transaction and hold no rule."""

import gc

# a start loads half a million objects that stay: looked through for garbage after every 700 new ones, as Python does
# by itself, they cost a fifth of the start and a tenth of what follows
gc.set_threshold(50_000, 20, 20)
