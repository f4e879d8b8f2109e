"""The tier of one family at one kindergarten, asked alone."""

from sqlalchemy.orm import Session

from enrollment.eligibility.tiers import TierTable
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.service_areas import service_area_index
from enrollment.season.grounds import Facts
from enrollment.season.rounds import Round
from enrollment.season.rules import TierResult


def tier_at(session: Session, round_: Round, facts: Facts, kindergarten: Kindergarten) -> TierResult:
    """The tier of one family at one kindergarten, for a page."""
    table = TierTable(session, round_, service_area_index(session))
    return table.priorities(facts, [table.entry(kindergarten)])[0].tiered
