"""What pages of several desks read and look up."""
