"""Local stand-ins for other systems."""
