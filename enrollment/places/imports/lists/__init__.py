"""Parts of lists: the grades of a list of kindergartens, and the list of staff counts."""
