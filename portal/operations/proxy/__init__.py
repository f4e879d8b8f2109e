"""The proxy in front of the page processes: one description, written as a configuration of nginx or of Caddy.

May import `line`, `web` and everything below them.
"""
