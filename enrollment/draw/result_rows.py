"""The placements and reasons of a run, copied from the arrays of the engine into their tables.

The rows are written with the identifiers of the database in place of the codes, in the order of the applications: nothing is
joined, and an index gets its entries in their order.
"""

import uuid
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import String, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from allocation.arrays import Array
from allocation.files.csv_rows import Column, csv_blocks, encode_texts
from allocation.files.writer import wish_rows
from allocation.market import Market
from allocation.outcome import REASONS, Outcome
from enrollment.applications.application_rows import Application
from enrollment.draw import fairness
from enrollment.draw.run_rows import REFUSED
from enrollment.ground import bulk_copy

CODES_AT_ONCE = 10_000
PLACEMENT = ("run_id", "application_id", "programme_id", "rank", "pool")
REASON = (
    "run_id", "application_id", "rank", "programme_id", "pool", "reason", "tier", "ticket", "cutoff_tier", "cutoff_ticket",
    "refused_before",
)  # fmt: skip


def applications_of(session: Session, market: Market) -> dict[str, uuid.UUID]:
    """The application of each child of a market, by child code.  Raises LookupError for a child without one."""
    codes = fairness.texts(market.codes.children)
    found: dict[str, uuid.UUID] = {}
    for start in range(0, len(codes), CODES_AT_ONCE):
        some = literal(codes[start : start + CODES_AT_ONCE], ARRAY(String))
        rows = select(Application.child_code, Application.id).where(Application.child_code == any_(some))
        found |= {code: application_id for code, application_id in session.execute(rows)}
    if len(found) < len(codes):
        raise LookupError(f"{len(codes) - len(found)} children of the market have no application")
    return found


def copy_result(
    session: Session,
    run_id: uuid.UUID,
    found: Outcome,
    applications: Mapping[str, uuid.UUID],
    programmes: Mapping[str, uuid.UUID],
    left_out: Sequence[str],
) -> None:
    """Store where each child is placed and why each wish was granted or refused, without the children `left_out`."""
    market, why = found.market, found.reasons
    codes = fairness.texts(market.codes.children)
    ids = [str(applications[code]) for code in codes]
    children = np.argsort(np.array(ids, dtype="S36"), kind="stable")
    if left_out:
        children = children[~np.isin(np.array(codes)[children], list(left_out))]
    of_run, application = encode_texts([str(run_id)]), encode_texts(ids)
    programme = encode_texts([str(programmes[code]) for code in fairness.texts(market.codes.programmes)])
    pool = encode_texts([market.pools.name(q) for q in range(market.pools.count)])
    rank = np.where(found.rank > 0, found.listed_rank, -1)
    placements = (
        Column(np.zeros(len(children)), of_run), Column(children, application), Column(found.programme[children], programme),
        Column(rank[children]), Column(found.pool[children], pool),
    )  # fmt: skip
    bulk_copy.copy_csv(session, "placement", PLACEMENT, csv_blocks(placements))
    wish, child, rank = wish_rows(market, children)
    reasons = (
        Column(np.zeros(len(wish)), of_run), Column(child, application), Column(rank),
        Column(market.programme[wish], programme), Column(why.pool[wish], pool),
        Column(why.code[wish], encode_texts(REASONS)), Column(why.tier[wish]), Column(why.ticket[child]),
        Column(why.cutoff_tier[wish]), Column(why.cutoff_ticket[wish]), Column(refused_before(found)[wish]),
    )  # fmt: skip
    bulk_copy.copy_csv(session, "wish_reason", REASON, csv_blocks(reasons))


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
