"""Lists as district offices keep them: xlsx or csv, checked as a whole, then written as a whole or not at all."""
