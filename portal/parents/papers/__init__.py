"""Papers of a family: the list of what is needed, one uploaded page, and photos that a phone kept until it had a network."""
