"""What a test may say about a town: its season."""


class Season:
    pass
