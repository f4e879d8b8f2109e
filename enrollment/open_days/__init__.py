"""Open days of a kindergarten: the days with their slots, and the visits that families book."""
