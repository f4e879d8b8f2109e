"""The pages of the single sign-on."""
