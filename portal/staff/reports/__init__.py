"""Reports of a kindergarten: pages, files, and the second person for files with names."""
