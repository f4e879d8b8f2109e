"""The demo city: kindergartens, families and officials that are invented, and say so on every page.

What few people do (a season, its policies, its places) goes through the verbs that real people use.  The families are
too many for that: their rows are written in bulk, and a test holds that they are the rows the verbs would have written.
"""
