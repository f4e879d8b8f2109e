"""The error of a failed start."""


class Fault(Exception):
    """The portal cannot run; the message is one line that says how to correct it."""


class ServerLost(Fault):
    """Database or queue was lost while the portal was starting.  Its files are well, and the start can begin anew."""
