"""Why a backup was not made or not restored."""


class BackupFault(Exception):
    """The message is a sentence that says how to mend it, without a secret."""
