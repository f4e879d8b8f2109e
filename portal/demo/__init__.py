"""The demo city: invented kindergartens, families and officials, marked as such on every page.

Season, policies and places are created with the service functions.  Families are too many for that: their rows are
written in bulk, and a test compares them with the rows that the service functions write.
"""
