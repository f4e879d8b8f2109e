"""Memory in which the page processes of one master find each other's pages.

It is anonymous memory that is mapped before the master forks: it has no name and no file, and only the forks of the process that
mapped it can read it, so it is as private as the memory of each of them.  It is left out of core dumps.

There is no lock.  A slot holds a name, a page and a checksum over both.  A reader takes a copy and computes the checksum: a page
that another process was writing meanwhile does not fit it and counts as absent.
"""

import hashlib
import mmap
import struct

SLOTS, SLOT = 8192, 16 * 1024
"""How many pages, and the bytes for each: twice what the largest page of a family takes.  A part of a slot that was never written
takes no memory."""

LATE = 2
"""Minutes by which a request that is still being answered may be behind.  What is further behind goes by a clock that was set back."""

NAME, CHECK = 32, 16
HEAD = struct.Struct(f"<{NAME}sI{CHECK}s")
MINUTE = struct.Struct("<q")
"""Stands before the slots: the minute from which all pages are."""

FIRST = mmap.PAGESIZE
LARGEST = SLOT - HEAD.size


class SharedPages:
    """Pages of one minute.  With the first page of another minute all others are gone, in all processes.

    `place` chooses two slots, of which a page takes the one that has its name, else a free one, else the first; `name` says what exactly the page was made from.
    Both are digests.
    """

    def __init__(self, slots: int = SLOTS):
        self._slots = slots
        self._memory = mmap.mmap(-1, FIRST + slots * SLOT)
        if hasattr(mmap, "MADV_DONTDUMP"):
            self._memory.madvise(mmap.MADV_DONTDUMP)

    def find(self, place: bytes, name: bytes) -> bytes | None:
        """The page with this name; None if it is not here, or not whole."""
        for begins in self._begin(place):
            found, length, check = HEAD.unpack_from(self._memory, begins)
            if found == name and length <= LARGEST:
                page = self._memory[begins + HEAD.size : begins + HEAD.size + length]
                if _check(name, page) == check:
                    return page
        return None

    def keep(self, place: bytes, name: bytes, page: bytes, minute: int) -> None:
        """A page that is too large, or that began before the others (`LATE`), is not kept."""
        (kept,) = MINUTE.unpack_from(self._memory, 0)
        if len(page) > LARGEST or 0 < kept - minute <= LATE:
            return
        if minute != kept:
            self.clear()
            MINUTE.pack_into(self._memory, 0, minute)
        begins = min(self._begin(place), key=lambda each: self._use(each, name))
        HEAD.pack_into(self._memory, begins, name, len(page), _check(name, page))
        self._memory[begins + HEAD.size : begins + HEAD.size + len(page)] = page

    def clear(self) -> None:
        """Give the memory of all pages back to the system, which hands it out empty."""
        if hasattr(mmap, "MADV_REMOVE"):
            self._memory.madvise(mmap.MADV_REMOVE)
        else:
            self._memory[:] = bytes(len(self._memory))

    def _use(self, begins: int, name: bytes) -> int:
        """Of two slots the one with the smaller number is used."""
        uses = (name, bytes(NAME))
        found = HEAD.unpack_from(self._memory, begins)[0]
        return uses.index(found) if found in uses else len(uses)

    def _begin(self, place: bytes) -> tuple[int, int]:
        """Where the two slots of a place begin: with one alone, pages would drive each other out long before all are taken."""
        first, second = int.from_bytes(place[:8]), int.from_bytes(place[8:16])
        return FIRST + first % self._slots * SLOT, FIRST + second % self._slots * SLOT


def _check(name: bytes, page: bytes) -> bytes:
    return hashlib.blake2b(page, digest_size=CHECK, key=name).digest()
