"""The two shares, reports, and queries that must always be empty."""
