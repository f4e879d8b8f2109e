"""`flask season|round|target|export` give scripts what the pages give people, and never act for a person."""

import csv
import io
import json

import pyotp
import pytest

from allocation.coverage import Percent
from enrollment.coverage import target_decisions
from enrollment.coverage.target_decisions import Source
from enrollment.coverage.targets import Targets, TargetScope
from enrollment.ground.audit import AuditEntry
from enrollment.season import rounds
from tests.support.town_season import at


@pytest.fixture
def flask(app, town, new_connections, frozen_clock):
    town.garden = town.kindergarten("锦官新城幼儿园", places=5, code="5151040001")
    town.open_registration()

    def run(*words, status=0):
        town.session.commit()
        frozen_clock.set(town.now)
        done = app.test_cli_runner().invoke(args=words)
        assert done.exit_code == status, done.output
        town.session.expire_all()
        return json.loads(done.stdout) if "--json" in words and status == 0 else done.output

    return run


def test_seasons_and_rounds_are_those_of_the_pages(flask, town):
    assert [(each["year"], each["state"]) for each in flask("season", "list", "--json")] == [(2026, "running")]
    told = flask("season", "show", "2026", "--json")
    assert len(told["signed"]) == 2 and set(told["dates"]) >= {"registration", "arrival"}
    assert "there is no admission year 2031" in flask("season", "show", "2031", status=1)
    assert "signed by" in flask("season", "show", "2026")
    [found] = flask("round", "list", "2026", "--json")
    assert (found["stage"], found["closes_at"]) == ("open", town.the_round.closes_at.isoformat())
    assert flask("round", "show", "2026", "1", "--json")["programmes"] == 1
    assert "there is no round 9" in flask("round", "show", "2026", "9", status=1)


def test_a_round_closes_after_its_deadline_and_not_before(flask, town):
    refused = flask("round", "close", "2026", "1", status=1)
    assert "deadline" in refused
    assert rounds.get_round(town.session, town.the_round.id).stage == "open"
    town.at(town.the_round.closes_at)
    assert flask("round", "close", "2026", "1", "--json")["stage"] == "closed"
    assert flask("round", "close", "2026", "1", "--json")["stage"] == "closed"
    last = town.session.query(AuditEntry).filter_by(subject="round").order_by(AuditEntry.number.desc()).first()
    assert last.account_id is None


def test_a_target_holds_only_after_two_people(flask, town):
    first, second = town.city_pair()
    source = Source("工作计划", "", at(1, 5).date())
    made = target_decisions.propose(
        town.session, 2026, TargetScope.CITY, Targets(Percent(5_150), high_quality=100), source,
        in_force_from=at(1, 1).date(), by=first, now=town.now,
    )  # fmt: skip
    [listed] = flask("target", "list", "2026", "--json")
    assert (listed["state"], listed["public"], listed["high_quality"], listed["signed_by"]) == (
        "open",
        "51.5",
        100,
        None,
    )
    assert flask("target", "show", "2026", "--json")["city"]["public"] is None
    target_decisions.sign(town.session, made.id, by=second, now=town.now)
    assert flask("target", "show", "2026", "--json")["city"] == {
        "public": "51.5",
        "inclusive": None,
        "high_quality": 100,
    }
    assert "public 51.5" in flask("target", "list", "2026")


def test_reports_without_names_come_as_files_and_as_json(flask, town, tmp_path):
    rows = flask("export", "report", "ledger", "--year", "2026", "--json")
    assert [(row["kindergarten"], row["places"]) for row in rows] == [("锦官新城幼儿园", 5)]
    out = tmp_path / "ledger.csv"
    flask("export", "report", "ledger", "--kindergarten", "5151040001", "--out", str(out), "--lang", "en")
    assert next(csv.reader(io.StringIO(out.read_bytes().decode("utf-8-sig"))))[0] == "Kindergarten"
    assert "second person" in flask("export", "report", "class_list", status=1)
    for wrong in (
        ["nothing"],
        ["ledger", "--area", "1"],
        ["ledger", "--kindergarten", "1"],
        ["ledger", "--out", "a.pdf"],
    ):
        assert "Error" in flask("export", "report", *wrong, status=1)
    assert town.session.query(AuditEntry).filter_by(act="read_report").count() == 2
    assert {row["area_code"] for row in flask("export", "coverage", "areas", "--json")} >= {"510104", "510100"}
    assert "rows" in flask("export", "coverage", "areas", "--out", str(tmp_path / "areas.csv"))


def test_keys_accounts_and_the_doctor_answer_scripts_too(flask, town, tmp_path):
    file = str(tmp_path / "keys.json")
    assert flask("keys", "new", file, "--json") == {"file": file, "key": "k1", "done": "made"}
    assert flask("keys", "add", file, "k2", "--json")["done"] == "added"
    assert flask("keys", "use", file, "k2", "--json")["key"] == "k2"
    rotated = flask("keys", "rotate", "--json")
    assert set(rotated) == {"key", "batches"} and rotated["batches"]["child.name"] >= 0
    assert "guardian" in flask("keys", "reindex", "--json")["reindexed"]
    assert flask("keys", "remove", file, "k1", "--json")["done"] == "removed"
    given = ("--name", "何处", "--role", "city_official", "--password", "a long enough password")
    made = flask("account", "add", "He.Wei", *given, "--json")
    assert (made["login"], made["role"]) == ("he.wei", "city_official")
    assert pyotp.parse_uri(made["second_factor"]).name == "he.wei"
    assert flask("account", "disable", "he.wei", "--json") == {"login": "he.wei", "sessions_ended": 0}
    told = {each["part"]: each for each in json.loads(flask("doctor", "--json", status=1))}
    assert told["database"] == {"part": "database", "well": True, "fault": None}
    assert not told["worker"]["well"] and "no worker serves" in told["worker"]["fault"]
