"""The placements and reasons of a run, copied from the arrays of the engine into their tables.

The rows are written with the identifiers of the database in place of the codes, in the order of the applications: nothing is
joined, and an index gets its entries in their order.
"""

import uuid
from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from sqlalchemy import String, any_, cast, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from allocation.arrays import Array
from allocation.files.csv_rows import Column, Texts, csv_blocks, encode_texts
from allocation.files.writer import wish_rows
from allocation.market import Market
from allocation.outcome import REASONS, Outcome
from enrollment.applications.application_rows import Application
from enrollment.draw import fairness
from enrollment.draw.run_rows import REFUSED
from enrollment.ground import bulk_copy

CHILDREN_AT_ONCE = 10_000
PLACEMENT = ("run_id", "application_id", "programme_id", "rank", "pool")
REASON = (
    "run_id", "application_id", "rank", "programme_id", "pool", "reason", "tier", "ticket", "cutoff_tier", "cutoff_ticket",
    "refused_before",
)  # fmt: skip


def applications_of(session: Session, market: Market) -> Array:
    """The id of the application of each child of a market (S36[n]: as text).  Raises LookupError for a child without one."""
    found = np.zeros(market.children, dtype="S36")
    for start in range(0, market.children, CHILDREN_AT_ONCE):
        codes = fairness.texts(market.codes.children[start : start + CHILDREN_AT_ONCE])
        rows = select(Application.child_code, cast(Application.id, String)).where(
            Application.child_code == any_(literal(codes, ARRAY(String)))
        )
        of_code = {code: application_id for code, application_id in session.execute(rows)}
        found[start : start + len(codes)] = [of_code.get(code, "") for code in codes]
    missing = int(np.count_nonzero(found == b""))
    if missing:
        raise LookupError(f"{missing} children of the market have no application")
    return found


def copy_result(
    session: Session,
    run_id: uuid.UUID,
    found: Outcome,
    applications: Array,
    programmes: Mapping[str, uuid.UUID],
    left_out: Array,
) -> None:
    """Store where each child is placed and why each wish was granted or refused, without the children `left_out` (their numbers).

    The columns of some thousand children are there at once.
    """
    children = np.argsort(applications, kind="stable")
    children = children[~np.isin(children, left_out)]
    columns = _Columns(run_id, found, applications, programmes)
    blocks = [children[start : start + CHILDREN_AT_ONCE] for start in range(0, len(children), CHILDREN_AT_ONCE)]
    for table, names, of_children in (
        ("placement", PLACEMENT, columns.placements),
        ("wish_reason", REASON, columns.reasons),
    ):
        bulk_copy.copy_csv(session, table, names, chain.from_iterable(csv_blocks(of_children(some)) for some in blocks))


class _Columns:
    """The columns of both tables for some children of a run."""

    def __init__(self, run_id: uuid.UUID, found: Outcome, applications: Array, programmes: Mapping[str, uuid.UUID]):
        self.found, self.applications = found, applications
        pools = found.market.pools
        self.run = encode_texts([str(run_id)])
        self.programme = encode_texts([str(programmes[code]) for code in fairness.texts(found.market.codes.programmes)])
        self.pool = encode_texts([pools.name(q) for q in range(pools.count)])
        self.reason = encode_texts(REASONS)
        self.before = refused_before(found)

    def _ids(self, children: Array) -> tuple[Column, Texts]:
        """The run as a column, and the ids of the applications of these children."""
        ids = self.applications[children]
        starts = np.arange(len(ids) + 1, dtype=np.int64) * ids.itemsize
        return Column(np.zeros(len(ids), dtype=np.int8), self.run), Texts(ids.view(np.uint8), starts)

    def placements(self, children: Array) -> Sequence[Column]:
        found, (run, ids) = self.found, self._ids(children)
        rank = np.where(found.rank[children] > 0, found.listed_rank[children], -1)
        return (
            run, Column(np.arange(len(children)), ids), Column(found.programme[children], self.programme), Column(rank),
            Column(found.pool[children], self.pool),
        )  # fmt: skip

    def reasons(self, children: Array) -> Sequence[Column]:
        market, why, (run, ids) = self.found.market, self.found.reasons, self._ids(children)
        wish, child, rank = wish_rows(market, children)
        row = np.repeat(np.arange(len(children)), np.diff(market.offsets)[children])
        return (
            Column(np.zeros(len(wish), dtype=np.int8), run.texts), Column(row, ids), Column(rank),
            Column(market.programme[wish], self.programme), Column(why.pool[wish], self.pool),
            Column(why.code[wish], self.reason), Column(why.tier[wish]), Column(why.ticket[child]),
            Column(why.cutoff_tier[wish]), Column(why.cutoff_ticket[wish]), Column(self.before[wish]),
        )  # fmt: skip


def refused_before(found: Outcome) -> Array:
    """For each refused wish how many children its programme refused who stand before this one, -1 for the others (int64[m])."""
    market, why = found.market, found.reasons
    child = np.repeat(np.arange(market.children), np.diff(market.offsets))
    refused = np.flatnonzero(np.isin(why.code, [REASONS.index(reason) for reason in REFUSED]))
    programme, standing = (
        market.programme[refused],
        (why.tier[refused].astype(np.int64) << 32) + why.ticket[child[refused]],
    )
    order = np.lexsort((standing, programme))
    programme, standing = programme[order], standing[order]
    at = np.arange(len(order))
    same_line = np.concatenate(([False], programme[1:] == programme[:-1]))
    same_place = same_line & np.concatenate(([False], standing[1:] == standing[:-1]))
    begins, first = (np.maximum.accumulate(np.where(same, 0, at)) for same in (same_line, same_place))
    before = np.full(len(market.programme), -1, dtype=np.int64)
    before[refused[order]] = first - begins
    return before
