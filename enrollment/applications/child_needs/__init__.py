"""What a child needs in daily life, which a family may tell of its own will.

No claim, no fact and no tier: nothing that orders children may import this package (a contract in `setup.cfg`).
"""
