"""The calendar of a year, its policies and its rounds."""
