"""The two entry points: pages and background jobs.  They own the transaction and hold no admission rule."""

import gc
import os
import sys

# A start loads half a million objects that are never freed.  Python's default, a collection after 700 new objects, costs
# a fifth of the start time and a tenth of the time after it.
gc.set_threshold(50_000, 20, 20)

# A deployed version is a folder behind a link, which the next version turns while this one still works.  What this process
# loads late (a template, a module, a text) comes from the folder that it began with.  `portal.__file__` stays as it was
# found: a supervisor starts its next child from the link.
sys.path[:] = [os.path.realpath(each) for each in sys.path]
__path__[:] = [os.path.realpath(each) for each in __path__]
