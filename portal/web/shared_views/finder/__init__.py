"""The finder, one component for everybody and for wishes: its question stands in the address, and each choice is a link."""
