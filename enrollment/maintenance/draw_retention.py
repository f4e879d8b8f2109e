"""Retention of draws: offers and results of deleted applications, old estimates, results after ten years.

A run can be checked without these rows: its full file contains every ticket, wish and reason by code.  When the
applications are deleted, nothing connects a code with a child; a family checks its result with the file that it saved.
"""

import uuid
from collections import Counter
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.chances.estimate_rows import ChanceEstimate, ChanceLine
from enrollment.chances.estimates import STILL_CHANGING
from enrollment.chances.movement_market import due_rounds
from enrollment.chances.movement_rows import MovementChance, MovementEstimate
from enrollment.draw.draws import Draw, Snapshot, Ticket
from enrollment.draw.duplicate_waivers import DuplicateWaiver
from enrollment.draw.publication.rows import PreparedNotice, PreparedOffer, PreparedResult, Publication
from enrollment.draw.run_rows import CutOff, Opening, Placement, Run, WishReason
from enrollment.draw.seed.witness_rows import DeclaredForm, SeedEntry, WitnessSession
from enrollment.draw.unserved.rows import AcceptedPlaces, ChosenPlace, DeclinedProposal, UnservedChild
from enrollment.ground import maintenance_permits
from enrollment.ground.retention import Moment
from enrollment.maintenance.family_retention import delete_all, seasons_ended_before
from enrollment.offers.arrivals.rows import ArrivalCheck, ArrivalContact, ArrivalEntry, ArrivalTap
from enrollment.offers.joint_decision_rows import JointDecision
from enrollment.offers.offer_rows import ReplacedNotice
from enrollment.offers.offers import CentralProposal, Offer, OfferMove
from enrollment.results.full_files import FullFileGrant, FullFileIssue
from enrollment.results.letters import NoticeDrawing
from enrollment.season.round_rows import Round


def delete_results_of_applications(session: Session, year: int, ids: Collection[uuid.UUID]) -> Counter[str]:
    """Delete offers, placements, reasons and tickets of these applications.  The caller granted the permit for their year."""
    theirs = select(Offer.id).where(Offer.application_id.in_(ids))
    children = select(Application.child_id).where(Application.id.in_(ids))
    gone = delete_all(session, CentralProposal, CentralProposal.application_id.in_(ids))
    for of_offer in (ArrivalTap, ArrivalCheck, ArrivalEntry, ArrivalContact, DeclinedProposal):
        gone += delete_all(session, of_offer, of_offer.offer_id.in_(theirs))
    for unserved in (UnservedChild, AcceptedPlaces, ChosenPlace):
        gone += delete_all(session, unserved, unserved.application_id.in_(ids))
    gone += delete_all(session, OfferMove, OfferMove.offer_id.in_(theirs))
    gone += delete_all(session, ReplacedNotice, ReplacedNotice.offer_id.in_(theirs))
    gone += delete_all(session, JointDecision, JointDecision.application_id.in_(ids))
    gone += delete_all(session, Offer, Offer.application_id.in_(ids))
    gone += delete_all(session, MovementChance, MovementChance.application_id.in_(ids))
    gone += delete_all(session, Opening, Opening.application_id.in_(ids))
    for prepared in (PreparedOffer, PreparedNotice, PreparedResult):
        gone += delete_all(session, prepared, prepared.application_id.in_(ids))
    gone += delete_all(session, WishReason, WishReason.application_id.in_(ids))
    gone += delete_all(session, Placement, Placement.application_id.in_(ids))
    return gone + delete_all(session, Ticket, Ticket.year == year, Ticket.child_id.in_(children))


def delete_unmatched_taps(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Delete what was noted at a door about a child that nobody found, a year after the season."""
    years = seasons_ended_before(session, moment.years_ago(1))
    return delete_all(session, ArrivalTap, ArrivalTap.offer_id.is_(None), ArrivalTap.year.in_(years))


def delete_estimates(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Delete the estimates of rounds whose list is frozen: the draw replaces them."""
    frozen = select(Round.id).where(Round.stage.not_in(STILL_CHANGING))
    gone = delete_all(session, ChanceLine, ChanceLine.round_id.in_(frozen))
    return gone + delete_all(session, ChanceEstimate, ChanceEstimate.round_id.in_(frozen))


def delete_movement(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Delete the estimates of waiting lines that do not move any more."""
    over = MovementEstimate.round_id.not_in(due_rounds(session, now=moment.now))
    rounds = select(MovementEstimate.round_id).where(over)
    gone = delete_all(session, MovementChance, MovementChance.round_id.in_(rounds))
    return gone + delete_all(session, MovementEstimate, over)


def delete_results(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Delete snapshots, draws and runs of seasons that ended ten years ago; one season at a time."""
    for year in seasons_ended_before(session, moment.years_ago(10)):
        rounds = select(Round.id).where(Round.year == year)
        if session.scalar(select(Snapshot.id).where(Snapshot.round_id.in_(rounds)).limit(1)) is None:
            continue
        runs = select(Run.id).where(Run.round_id.in_(rounds))
        maintenance_permits.grant_permit(session, "decade")
        gone = delete_all(session, CutOff, CutOff.run_id.in_(runs))
        gone += delete_all(session, DuplicateWaiver, DuplicateWaiver.round_id.in_(rounds))
        grants = select(FullFileGrant.id).where(FullFileGrant.run_id.in_(runs))
        gone += delete_all(session, FullFileIssue, FullFileIssue.grant_id.in_(grants))
        gone += delete_all(session, FullFileGrant, FullFileGrant.run_id.in_(runs))
        gone += delete_all(session, Publication, Publication.run_id.in_(runs))
        gone += delete_all(session, MovementEstimate, MovementEstimate.run_id.in_(runs))
        gone += delete_all(session, NoticeDrawing, NoticeDrawing.run_id.in_(runs))
        gone += delete_all(session, Run, Run.round_id.in_(rounds))
        witnesses = select(WitnessSession.id).join(Draw, Draw.id == WitnessSession.draw_id).where(Draw.year == year)
        gone += delete_all(session, SeedEntry, SeedEntry.session_id.in_(witnesses))
        gone += delete_all(session, WitnessSession, WitnessSession.id.in_(witnesses))
        gone += delete_all(session, DeclaredForm, DeclaredForm.round_id.in_(rounds))
        gone += delete_all(session, Draw, Draw.year == year)
        return gone + delete_all(session, Snapshot, Snapshot.round_id.in_(rounds))
    return Counter()
