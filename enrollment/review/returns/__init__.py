"""Until when a family answers a return."""
