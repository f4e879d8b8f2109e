"""Whether a code is enough to open the account of a phone."""
