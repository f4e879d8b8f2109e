"""What a test may say about a town: its draw."""


class Draw:
    pass
