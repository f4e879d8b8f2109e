"""Kindergartens, programmes, pools, the places ledger, the roll, and the import of lists.

May import `ground`, not `season`.
"""
