"""People, households, applications, evidence and review."""
