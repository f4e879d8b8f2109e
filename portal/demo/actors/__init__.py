"""Simulated people of the demo city: clerks, families, officials and witnesses, who use the same service functions as real ones."""
