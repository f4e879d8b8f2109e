"""The chain of the audit trail: keyed seals, the head of each day, and the search for forgeries (ADR 26)."""
