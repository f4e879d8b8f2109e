"""The record of a run on paper, for the notary and the files: everything that was published, witnessed, signed and counted."""

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

from allocation.checks import CHECKS
from allocation.checks.central import CENTRAL_CHECKS
from enrollment.results.letters import LetterPage
from enrollment.results.run_record import RunRecord
from enrollment.season.round_rows import RoundKind
from portal.letters import pictures
from portal.letters.pages import letter_page
from portal.text.formats import moment
from portal.text.words import table, word


class ReadLine(Protocol):
    """A sentence that signers ticked, and who did when."""

    @property
    def sentence(self) -> str: ...

    @property
    def by(self) -> tuple[tuple[str, dt.datetime], ...]: ...


def in_groups(digest: str) -> str:
    """A digest in groups of eight, so that two people can compare it aloud."""
    return " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))


def _with_seconds(when: dt.datetime | None) -> str | None:
    """Of the opening the second counts, not the minute."""
    return f"{moment(when, year=True)}:{when:%S}" if when else None


def draw_record(
    record: RunRecord, *, read: Sequence[ReadLine], public_url: str, page: str | None, demo: bool, on: dt.datetime
) -> LetterPage:
    """`read` is what the signers ticked before they signed.  `page` is the path of the public page of the draw; None for a
    central run, which has none."""
    address = f"{public_url}{page}" if page else None
    is_central = record.round.kind == RoundKind.CENTRAL
    return letter_page(
        f"record-{record.run.id}",
        "draw_record",
        printed=moment(on, year=True),
        record=record,
        read=read,
        run=record.run,
        round=record.round,
        is_central=is_central,
        checks=CENTRAL_CHECKS if is_central else CHECKS,
        in_groups=in_groups,
        opened=_with_seconds(record.publication.opened_at if record.publication else None),
        why=word("error", record.run.error) if record.run.error in table()["error"] else record.run.error,
        address=address,
        qr=pictures.qr(address) if address else None,
        demo=demo,
    )
