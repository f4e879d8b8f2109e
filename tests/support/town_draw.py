"""The part of the test town for the draw."""

import datetime as dt

from sqlalchemy import select

from allocation import lottery
from allocation.draw_form import DrawForm
from enrollment.applications import lifecycle, wishes
from enrollment.applications.applications import Application
from enrollment.chances import estimate_market, estimates, family_chances
from enrollment.chances.family_chances import Chances
from enrollment.draw import draws, execution, market_files, participants, replay, runs, snapshot
from enrollment.draw.central import central_list, central_runs
from enrollment.draw.draws import Draw as SeasonDraw
from enrollment.draw.draws import Snapshot, Ticket
from enrollment.draw.publication import opening, preparation
from enrollment.draw.run_rows import Run
from enrollment.draw.seed import declared_forms, seeding
from enrollment.draw.seed.witness_rows import SeedPart
from enrollment.eligibility.wish_candidates import Finder
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.errors import Refused
from enrollment.offers import answer_deadlines, offers
from enrollment.offers.offers import LIVE, Offer
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season.rounds import Round
from portal.demo.actors import simulated_witnesses
from tests.support.prepare_all import prepare_all


class Draw:
    """From the frozen list to offers, answers and replays; the two city officials sign."""

    def freeze(self, **more) -> Snapshot:
        """Registration ends if it has not, and the market is frozen.  Everybody must have been reviewed."""
        if self.the_round.stage == "open":
            self.close_registration()
        _number, until = participants.returned(self.session, self.the_round, now=self.now)
        if until is not None:  # families have that long to complete what was sent back
            self.at(until)
        if self.the_round.stage != "published":
            self.declare_form()
        return snapshot.freeze(self.session, self.the_round.id, by=self.city_pair()[0], now=self.now, **more)

    def declare_form(self, beacon_at: dt.datetime | None = None) -> DrawForm:
        """The form of the draw; its beacon becomes public half a minute after the town's time, unless said otherwise."""
        beacon_at = beacon_at or self.now + dt.timedelta(seconds=30)
        return simulated_witnesses.declare(
            self.session, self.the_round.id, beacon_at, by=self.city_pair()[0], now=self.now
        )

    def witness(self, beacon: str = "03 08 14 21 27 30 + 06", ceremony: str = "4 2 6 1 0 9") -> None:
        """A minute later, two witnesses enter each part, in sessions that two officials opened."""
        self._a_minute_later()
        values = {SeedPart.BEACON: beacon, SeedPart.CEREMONY: ceremony}
        pair = self.city_pair()
        simulated_witnesses.enter(self.session, self.the_round.id, pair, values=values, now=self.now)

    def seed(self, beacon: str = "03 08 14 21 27 30 + 06", ceremony: str = "4 2 6 1 0 9") -> SeasonDraw:
        self.witness(beacon, ceremony)
        return seeding.set_seed(self.session, self.the_round.year, by=self.city_pair()[0], now=self.now)

    def seed_in_order(self, *families: Application) -> SeasonDraw:
        """Try ceremonies until the tickets of these children have this order."""
        draw = draws.waiting_for_seed(self.session, self.the_round.year)
        codes = [application.family_code for application in families]
        market = market_files.read(market_files.unpack(self.session.get_one(Snapshot, draw.snapshot_id).market))
        names = sorted({row.family for row in market.children})
        beacon, form = "3 8 14 21 27 30 + 6", declared_forms.of_draw(draw)
        for number in range(10**6):
            ceremony = " ".join(f"{number:06}")
            seed = lottery.seed_bytes_2(draw.commitment, form, beacon, ceremony)
            numbers = dict(zip(names, lottery.draw(seed, names, names).tolist(), strict=True))
            order = [numbers[code] for code in codes]
            if order == sorted(order):
                return self.seed(beacon, ceremony)
        raise AssertionError("unreachable")

    def run(self) -> Run:
        """Start a run and execute it directly, like the handler of the worker."""
        run = runs.start(self.session, self.the_round.id, by=self.city_pair()[0], now=self.now)
        return execution.execute(self.session, run.id, now=self.now)

    def sign(self, run: Run | None = None) -> Run:
        """Two different people sign the newest run, and the worker prepares it."""
        run = run or runs.of_round(self.session, self.the_round.id)[0]
        for official in self.city_pair():
            runs.sign(self.session, run.id, by=official, now=self.now)
        prepare_all(self.session, run.id, by=self.city_pair()[1], now=self.now)
        return run

    def publish(self, run: Run | None = None) -> Run:
        """Two different people sign the newest run, of which the hour is announced for now, and the clock opens it."""
        run = run or runs.of_round(self.session, self.the_round.id)[0]
        self.announce_hour(self.now)
        self.sign(run)
        self.open(run)
        return run

    def announce_hour(self, hour: dt.datetime) -> None:
        """Announce the hour of the round's next result, without telling anybody."""
        self.session.get_one(Round, self.the_round.id).results_at = hour
        self.session.flush()

    def open(self, run: Run) -> int:
        """What the worker does at the hour."""
        offers = opening.open_run(self.session, run.id, now=self.now)
        preparation.clear(self.session, run.id)
        self.session.refresh(run)
        return offers

    def drawn(self, *order: Application) -> Run:
        """Everything from the end of registration to the published result, with tickets in this order."""
        self.everyone_is_reviewed()
        self.freeze()
        if order:
            self.seed_in_order(*order)
        elif draws.waiting_for_seed(self.session, self.the_round.year):
            self.seed()
        self.run()
        return self.publish()

    def estimate_chances(self) -> dict | None:
        """What the clock's job does every morning of registration."""
        made = estimate_market.read(self.session, self.the_round.id, now=self.now)
        if made is None:
            return None
        return estimates.save(self.session, made, estimates.simulate(made.market))

    def chances_of(self, application: Application, *, siblings: tuple[Application, ...] = ()) -> Chances | None:
        """The chances of an application's wishes as they stand, with what is nearby as one more."""
        finder = Finder(self.session, application, self.the_round.id)
        ids = [wish.programme_id for wish in wishes.of(self.session, application.id, self.the_round.id)]
        listed = finder.seen(self.session.get_one(Programme, each) for each in ids)
        return family_chances.of_family(
            self.session, application, self.the_round, finder, listed, siblings, now=self.now
        )

    def everybody(self) -> list[Application]:
        return list(self.session.scalars(select(Application).order_by(Application.created_at, Application.child_code)))

    def kindergartens_by_name(self, name: str) -> list[Kindergarten]:
        return list(self.session.scalars(select(Kindergarten).where(Kindergarten.name == name)))

    def change_places(self, programme: Programme, *, places: int) -> None:
        """An area official withholds places, or gives back withheld ones."""
        withheld = min(programme.planned_classes, programme.staffed_classes) * programme.class_norm - places
        self.plan(programme, by=self.area_official(programme.kindergarten.area_code), withheld=withheld)

    def ticket_of(self, application: Application) -> int | None:
        found = select(Ticket.number).where(Ticket.child_id == application.child_id, Ticket.year == application.year)
        return self.session.scalar(found)

    def offer_for(self, application: Application) -> Offer | None:
        """The application's live offer."""
        found = select(Offer).where(Offer.application_id == application.id, Offer.state.in_(LIVE))
        return self.session.scalars(found.execution_options(populate_existing=True)).one_or_none()

    def last_offer_for(self, application: Application) -> Offer | None:
        found = select(Offer).where(Offer.application_id == application.id).order_by(Offer.made_at.desc(), Offer.id)
        live = self.offer_for(application)
        return live or self.session.scalars(found.execution_options(populate_existing=True)).first()

    def place_of(self, application: Application) -> Kindergarten | None:
        """Where the child's live offer is."""
        offer = self.offer_for(application)
        return self.session.get_one(Programme, offer.programme_id).kindergarten if offer else None

    def taken_at(self, kindergarten: Kindergarten, **which) -> int:
        programme = self.programme_of(kindergarten, **which)
        self.session.refresh(programme)
        return programme.taken

    def confirm(self, application: Application, *, wait: bool = False) -> Offer:
        by, offer = self.parent_of(application), self.offer_for(application)
        return offers.confirm(self.session, offer.id, wait=wait, by=by, now=self.now)

    def decline(self, application: Application) -> Offer:
        by, offer = self.parent_of(application), self.offer_for(application)
        return offers.decline(self.session, offer.id, by=by, now=self.now)

    def silence(self) -> int:
        """The reminder goes out the day before, the deadline passes, and silence counts as giving up."""
        due = self.session.scalars(select(Offer.answer_by).where(Offer.state == "offered")).all()
        last = max(due)
        self.at(max(self.now, last - answer_deadlines.REMIND_BEFORE))
        answer_deadlines.remind_due(self.session, now=self.now)
        self.at(max(self.now, last))
        return answer_deadlines.expire_due(self.session, now=self.now)

    def silence_if_any(self) -> None:
        if self.session.scalar(select(Offer.id).where(Offer.state == "offered").limit(1)):
            self.silence()

    def withdraw_after_the_draw(self, application: Application) -> None:
        """The family moves away: the hotline takes the application back."""
        self.session.refresh(application, with_for_update=True)
        lifecycle.make(self.session, application, "withdraw", by=self.parent_of(application), now=self.now)

    def replay(self, *, sign: bool = True) -> Run:
        """Hand free places to the next in line; two people sign the batch."""
        run = replay.start(self.session, self.the_round.id, by=self.city_pair()[0], now=self.now)
        execution.execute(self.session, run.id, now=self.now)
        return self.publish(run) if sign else run

    def place_centrally(self) -> Run:
        """The rounds before it are answered; an official starts a central run, and the worker computes and checks it."""
        for child in self.everybody():
            offer = self.offer_for(child)
            if offer is not None and offer.state == "offered":
                self.confirm(child)
        run = central_list.start(self.session, 2026, by=self.city_pair()[0], now=self.now)
        computed = central_runs.compute(central_runs.read(self.session, run.id))
        return central_runs.save(self.session, run.id, computed, now=self.now)

    def approve_daily_replays(self) -> None:
        for official in self.city_pair():
            replay.approve_standing(self.session, self.the_round.id, by=official, now=self.now)

    def daily_replay(self) -> list[Run]:
        """What the clock and the worker do every morning under the standing approval."""
        done = []
        for run_id in replay.start_daily(self.session, now=self.now):
            execution.execute(self.session, run_id, now=self.now)
            self.announce_hour(self.now)
            if replay.let_wait_if_approved(self.session, run_id, now=self.now):
                prepare_all(self.session, run_id, by=SYSTEM, now=self.now)
                try:
                    self.open(runs.one(self.session, run_id))
                except Refused as refused:
                    opening.refuse(self.session, run_id, refused, now=self.now)
            done.append(runs.one(self.session, run_id))
        return done

    def _a_minute_later(self) -> None:
        self.now += dt.timedelta(minutes=1)
