"""What keeps the portal from running, said in one line that tells how to mend it."""


class Fault(Exception):
    """The message is one line for the person at the terminal."""
