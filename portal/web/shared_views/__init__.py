"""Views and forms that two page packages show in the same way: coverage, corrections, duplicates."""
