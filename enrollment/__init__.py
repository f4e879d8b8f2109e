"""The domain of kindergarten admission: rows, verbs, moves and policy.  Knows the database, never the web."""
