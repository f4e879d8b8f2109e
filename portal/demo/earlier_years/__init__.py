"""The years before the demo's: what its kindergartens had on roll."""
