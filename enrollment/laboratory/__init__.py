"""The policy laboratory: the same families under other rules, drawn many times, side by side.

Nothing here changes a rule in force or a result.  May import `coverage` and everything below it.
"""
