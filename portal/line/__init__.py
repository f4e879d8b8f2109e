"""The waiting line: who is let in when more families come than the page processes of families can serve (ADR 25).

May import `web` and everything below it.
"""
