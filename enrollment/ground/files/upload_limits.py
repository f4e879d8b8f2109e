"""How large an uploaded file may be: one number for each kind, for the page's words, the browser's check and the server's."""

from dataclasses import dataclass


@dataclass(frozen=True)
class UploadLimit:
    """`largest` is in bytes; a page says it as `megabytes`, or as `kilobytes` where it is below one.

    A megabyte is 2**20 bytes here.  Phones count in millions, which is less, so a file that a phone calls 20 MB fits.
    """

    largest: int

    @property
    def megabytes(self) -> int:
        return self.largest // 2**20

    @property
    def words(self) -> str:
        """`20 MB`, `200 KB`."""
        return f"{self.megabytes} MB" if self.megabytes else f"{self.largest // 1000} KB"

    def size_in_words(self, size: int) -> str:
        """A size that is above the limit, rounded up, so that it never reads as large as the limit."""
        return f"{size_in_megabytes(size)} MB" if self.megabytes else f"{-(-size // 1000)} KB"


LIMITS = {
    "photo": UploadLimit(20 * 2**20),
    "pdf": UploadLimit(10 * 2**20),
    "table": UploadLimit(40 * 2**20),
    "rules": UploadLimit(200_000),
}

MOST_AT_ONCE = UploadLimit(60 * 2**20)
"""All the files of one form together."""


def size_in_megabytes(size: int) -> int:
    return -(-size // 2**20)
