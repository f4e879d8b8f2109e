"""PDF letters: receipt, admission notice, mandate.

May import `web` and everything below it.
"""
