"""Reports about the review and the promotion: what they count, that names and values stand in words, that they cost the same."""

import csv
import datetime as dt
import io

import pytest
from bs4 import BeautifulSoup

from enrollment.applications import register_answers
from enrollment.applications.register_answers import Answer
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.reports.tables.catalogue import REPORTS
from enrollment.reports.tables.report import Question, read
from enrollment.season.facts import Fact
from tests.portal.test_p2_statements import statements
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

NEW = ("worklist", "progress", "disagreements", "pairs", "promotion")


@prepared
def garden(town, frozen_clock):
    """Three applications in review, one of them where the register has another birth date; a pair; a roll of two classes."""
    town.here, town.other = town.kindergarten("锦官新城幼儿园", places=5), town.kindergarten("牡丹幼儿园", places=5)
    town.roll(town.here, "upper", 12)
    town.child_on_roll(town.here, "大孩子", born=dt.date(2021, 12, 1))
    town.open_registration()
    town.ana, town.ben, town.cui = (adding(town, name) for name in ("李沐晨", "王小雨", "张翠"))
    town.child("别家", wishes=[town.other])
    town.registration_is_over()
    said = [Answer(town.ana.id, Fact.BORN, "household_register", "differs", "2022-10-09")]
    register_answers.note(town.session, said, now=town.now)
    first, second = sorted((town.ana.child_id, town.cui.child_id))
    town.session.add(DuplicateHint(child_a=first, child_b=second, found_at=town.now))
    town.clerk = town.clerk_of(town.here)
    town.clerk_takes(town.ben, by=town.clerk)
    town.session.commit()
    frozen_clock.set(town.now)
    return town


def adding(town, name):
    family = town.family(name[0])
    town.agree_to_registers(family)
    return town.child(name, family=family, wishes=[town.here])


def table(town, code):
    return read(REPORTS[code], Question(town.session, 2026, town.clerk, town.now, town.here.id), how="page")


def test_what_the_reports_count(garden):
    town = garden
    worklist = {row[0]: row for row in table(town, "worklist").rows}
    assert worklist.keys() == {each.registration_code for each in (town.ana, town.ben, town.cui)}
    assert worklist[town.ana.registration_code][4] == (Fact.BORN,)
    assert (
        worklist[town.ben.registration_code][8] == town.clerk.name and worklist[town.ana.registration_code][8] is None
    )
    progress = table(town, "progress")
    assert (progress.total("received"), progress.total("not_looked_at"), progress.total("done")) == (3, 2, 0)
    groups = ("to_open", "agrees", "returned", "second", "done")
    assert sum(progress.total(code) for code in groups) == progress.total("received") == len(worklist)
    ((code, name, fact, declared, in_register, *_rest),) = table(town, "disagreements").rows
    assert (code, name, fact, in_register) == (
        town.ana.registration_code,
        "李沐晨",
        Fact.BORN,
        (Fact.BORN, "2022-10-09"),
    )
    assert declared == (Fact.BORN, town.ana.child.born.isoformat())
    ((*pair, state, _judge, _at),) = table(town, "pairs").rows
    assert {pair[0], pair[2]} == {town.ana.registration_code, town.cui.registration_code} and state == "open"
    town.clerk_confirms(town.ben, by=town.clerk)
    assert (table(town, "progress").total("done"), len(table(town, "worklist").rows)) == (1, 2)


def test_the_promotion_is_foreseen_before_summer(garden):
    town = garden
    rows = {row[1]: row for row in table(town, "promotion").rows}
    assert (rows["upper"][3], rows["upper"][5], rows["upper"][7]) == ("graduated", 12, 12)
    assert (rows["middle"][3], rows["middle"][5], rows["middle"][6]) == ("upper", 1, 1)
    foreseen = table(town, "promotion")
    assert foreseen.total("children") == sum(foreseen.total(code) for code in ("moving_up", "graduating", "staying"))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_are_in_words_and_cost_the_same_for_more_rows(garden, client, app_engine, lang):
    town = garden
    sign_in(client, town.clerk.account_id)
    counted = {}
    for code in NEW:
        with statements(app_engine) as heard:
            page = BeautifulSoup(client.get(f"/staff/reports/{code}?lang={lang}&at={town.here.id}").text, "lxml")
        counted[code] = len(heard)
        shown = [[cell.get_text(strip=True) for cell in row.select("th, td")] for row in page.select("main table tr")]
        assert len(shown) > 1, code
        if not REPORTS[code].has_names:
            text = client.get(f"/staff/reports/{code}/file.csv?lang={lang}").get_data().decode("utf-8-sig")
            assert list(csv.reader(io.StringIO(text))) == shown, code
    page = client.get(f"/staff/reports/disagreements?lang={lang}").text
    assert ("2022年10月9日" if lang == "zh" else "9 October 2022") in page
    town.at(town.now + dt.timedelta(minutes=1))
    more = [Answer(each.id, Fact.BORN, "household_register", "differs", "2022-10-08") for each in (town.ben, town.cui)]
    register_answers.note(town.session, more, now=town.now)
    town.session.commit()
    for code in NEW:
        with statements(app_engine) as heard:
            client.get(f"/staff/reports/{code}?lang={lang}&at={town.here.id}")
        assert len(heard) <= counted[code], code
