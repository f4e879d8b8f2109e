"""Approvals of authorities 批文 that numbers of the ledger and of the roll rest on."""
