"""The pages of an admission year: its calendar, its stages, its days off."""
