"""How staff and officials get into their accounts for the first time, or again after a lost phone."""
