"""What a test may say about a town: its places."""


class Places:
    pass
