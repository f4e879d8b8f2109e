"""Measurements for Prometheus: of requests in each page process, and of the state of the portal at the moment of the question."""
