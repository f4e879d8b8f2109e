"""Parts of the promotion 升班: its sheet as values, and the classes of the new year."""
