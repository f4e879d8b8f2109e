"""What pages read ahead or keep: rows of one reader for one request, and the catalogue for the process."""
