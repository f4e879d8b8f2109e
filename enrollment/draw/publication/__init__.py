"""Publication: from the second signature to the announced hour, and the transaction that opens everything at that hour."""
