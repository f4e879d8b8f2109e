"""The error of a failed start."""


class Fault(Exception):
    """The portal cannot run; the message is one line that says how to correct it."""
