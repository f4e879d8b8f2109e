"""STF19: a place that became free goes to the next child within minutes, by the same law, and the page tells the time."""

import datetime as dt

from enrollment.draw import execution, replay, runs
from enrollment.draw.publication import hours
from enrollment.draw.vacancies import next_child
from enrollment.draw.vacancies.next_child import SETTLING, VacancyState
from enrollment.ground.accounts import SYSTEM
from enrollment.offers.arrivals import absences
from tests.support.prepare_all import prepare_all
from tests.support.town_season import at


def told(town, by):
    return [
        (each.state, each.places, each.at) for each in next_child.vacancies(town.session, 2026, by=by, now=town.now)
    ]


def opens(town, run_id):
    """What the worker and the clock do."""
    execution.execute(town.session, run_id, now=town.now)
    assert replay.let_wait_if_approved(town.session, run_id, now=town.now)
    prepare_all(town.session, run_id, by=SYSTEM, now=town.now)


def test_stf19_a_vacancy_goes_to_the_next_child_minutes_after_the_act(town):
    garden = town.kindergarten("金苹果", places=1)
    ana, ben, cui = (town.child(name, wishes=[garden]) for name in ("安娜", "本本", "翠翠"))
    town.drawn(ana, ben, cui)
    clerk, stranger = town.clerk_of(garden), town.clerk_of(town.kindergarten("牡丹", places=1))
    town.decline(ana)
    assert told(town, clerk) == [(VacancyState.UNSIGNED, 1, None)]
    town.replay()
    town.confirm(ben)
    town.approve_daily_replays()
    town.at(at(9, 3, 10))
    offer = town.offer_for(ben)
    absences.record_contact(town.session, offer.id, "call", "not_coming", by=clerk, now=town.now)
    absences.release(town.session, [offer.id], by=clerk, now=town.now)
    freed_at = town.now
    assert told(town, clerk) == [(VacancyState.SETTLING, 1, freed_at + SETTLING)] and told(town, stranger) == []
    assert next_child.start_due(town.session, now=town.now + SETTLING - dt.timedelta(seconds=1)) == []
    town.at(freed_at + SETTLING)
    (run_id,) = next_child.start_due(town.session, now=town.now)
    assert told(town, clerk) == [(VacancyState.DRAWING, 1, None)]
    assert next_child.start_due(town.session, now=town.now) == [], "it is under way"
    opens(town, run_id)
    hour = at(9, 3, 10) + dt.timedelta(minutes=14)
    assert told(town, clerk) == [(VacancyState.COMING, 1, hour)]
    town.at(hour)
    town.open(runs.one(town.session, run_id))
    assert town.offer_for(cui).state == "offered" and town.place_of(cui) == garden, "after the arrival days too"
    assert told(town, clerk) == []
    town.decline(cui)
    assert told(town, clerk) == [(VacancyState.NOBODY, 1, None)]


def test_stf19_no_family_is_woken_at_night():
    assert hours.soon(at(9, 3, 9)) == at(9, 3, 9) + hours.AHEAD
    assert hours.soon(at(9, 3, 20)) == at(9, 4, 9) == hours.soon(at(9, 4, 3))
