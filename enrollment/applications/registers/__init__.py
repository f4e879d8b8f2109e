"""The rows of the registers' answers, and how they compare with the claims."""
