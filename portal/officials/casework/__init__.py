"""The work of officials on particular kinds of cases."""
