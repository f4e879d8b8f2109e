"""What a test may say about a town: its review."""


class Review:
    pass
