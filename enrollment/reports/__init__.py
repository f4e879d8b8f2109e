"""Lists, exports and reports that read from several packages.

May import `coverage` and everything below it.
"""
