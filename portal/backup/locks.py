"""Advisory locks of a database: one backup at a time, and none beside an upgrade of the tables.

A snapshot that is older than a migration which rewrites a table sees the table empty: a backup of it would be whole, agree
with itself, and hold none of its rows.
"""

ONE_BACKUP = 731006
TABLES_STAY = 731007
"""A backup shares it; an upgrade that has something to do holds it alone."""
