"""The staff of kindergartens: counts of a day, entered by the kindergarten or imported."""
