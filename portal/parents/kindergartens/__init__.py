"""A kindergarten as one family sees it."""
