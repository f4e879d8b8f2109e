"""The domain of kindergarten admission: tables, service functions and rules.

Knows the database, never the web.  May import `allocation`; `setup.cfg` lists the layers of its packages.
"""
