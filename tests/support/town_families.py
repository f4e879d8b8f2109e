"""What a test may say about a town: its families."""


class Families:
    pass
