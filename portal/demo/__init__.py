"""The demo city: invented kindergartens, families and officials; every page says that the data are simulated.

The season, its policies and its places are created through the services.  The families are too many for that: their rows
are written in bulk, and a test checks that the services would have written the same rows.
"""
