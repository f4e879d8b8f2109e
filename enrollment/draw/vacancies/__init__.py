"""Places that became free: when the next child is offered each of them, and starting that under a standing approval."""
