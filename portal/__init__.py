"""The two entry points: pages and background jobs.  They own the transaction and hold no admission rule."""

import gc

# A start loads half a million objects that are never freed.  Python's default, a collection after 700 new objects, costs
# a fifth of the start time and a tenth of the time after it.
gc.set_threshold(50_000, 20, 20)
