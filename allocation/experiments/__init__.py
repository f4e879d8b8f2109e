"""The same children under other rules, draw by draw: what each child got, and what it would have wanted."""
