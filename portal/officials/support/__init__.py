"""Pages about children with a disability (Art. 17)."""
