"""People: guardians, children and households, consents, invitations and mandates.

May import `places`, `season` and `ground`.
"""
