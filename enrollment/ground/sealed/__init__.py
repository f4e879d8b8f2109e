"""Column types for what a copy of the database must not tell: sealed dates, numbers and JSON, and keyed codes."""
