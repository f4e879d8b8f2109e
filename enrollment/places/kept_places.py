"""The tables of places that processes keep in memory (`ground.reading.catalogue`), and how often they look at them."""

import datetime as dt

TABLES = ("kindergarten", "service_area", "area", "named_place", "grade", "held_grade")
EVERY = dt.timedelta(seconds=2)
