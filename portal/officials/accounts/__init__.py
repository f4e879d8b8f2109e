"""Accounts of staff and officials: roles, scopes, and the two people for each widening."""
