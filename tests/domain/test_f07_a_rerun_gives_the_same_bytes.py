"""F7: elsewhere a re-run deleted the old result, and chance had no seed.  Here runs are only added and repeat byte for byte."""

import io
import zipfile

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from allocation import verify
from enrollment.draw import runs
from enrollment.draw.run_rows import Placement
from enrollment.ground.errors import Refused
from tests.support.prepared import prepared


@prepared
def drawn_town(town):
    jinpingguo = town.kindergarten("金苹果", places=2)
    mudan = town.kindergarten("牡丹", places=1)
    for name in ("安娜", "本本", "翠翠", "丁丁"):
        town.child(name, wishes=[jinpingguo, mudan])
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    return town


def test_f07_a_second_run_has_the_same_bytes_and_the_first_is_kept(drawn_town):
    town = drawn_town
    first, second = town.run(), town.run()
    assert (first.number, second.number) == (1, 2)
    assert first.digest == second.digest
    assert first.bundle == second.bundle
    kept = town.session.query(Placement).filter_by(run_id=first.id).count()
    assert kept == town.session.query(Placement).filter_by(run_id=second.id).count() == 4


def test_f07_the_database_keeps_a_run_as_it_was(drawn_town):
    town = drawn_town
    run = town.run()
    for statement in ("DELETE FROM run", "UPDATE run SET digest = repeat('0', 64)", "DELETE FROM placement"):
        with pytest.raises(IntegrityError), town.session.begin_nested():
            town.session.execute(text(statement))
    assert runs.one(town.session, run.id).digest == run.digest


def test_anybody_can_check_the_bundle_and_finds_a_change_of_one_tier(drawn_town, tmp_path):
    run = drawn_town.run()
    honest = tmp_path / "bundle.zip"
    honest.write_bytes(run.bundle)
    assert verify(honest) == []
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(io.BytesIO(run.bundle)) as old, zipfile.ZipFile(forged, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content[:-2] + b"9\n" if name == "market/wishes.csv" else content)
    assert verify(forged)


def test_the_bundle_has_no_name_and_no_code_of_a_notice_board(drawn_town):
    town = drawn_town
    run = town.run()
    with zipfile.ZipFile(io.BytesIO(run.bundle)) as archive:
        told = b"".join(archive.read(name) for name in archive.namelist()).decode()
    for application in town.everybody():
        assert application.registration_code not in told
        assert application.child.name not in told
        assert application.child.id_number not in told
        assert application.child_code in told


def test_a_run_is_set_aside_with_a_reason_and_never_signed_after(drawn_town):
    town = drawn_town
    run, by = town.run(), town.city_pair()[0]
    with pytest.raises(Refused, match="say_why"):
        runs.set_aside(town.session, run.id, reason=" ", by=by, now=town.now)
    runs.set_aside(town.session, run.id, reason="牡丹的学位录入有误", by=by, now=town.now)
    with pytest.raises(Refused, match="run_cannot_be_signed"):
        runs.sign(town.session, run.id, by=by, now=town.now)
    assert town.run().number == 2


def test_one_person_is_not_enough_and_nobody_signs_twice(drawn_town):
    town = drawn_town
    run, (first, _second) = town.run(), town.city_pair()
    assert runs.sign(town.session, run.id, by=first, now=town.now) == 1
    with pytest.raises(Refused, match="signed_already"):
        runs.sign(town.session, run.id, by=first, now=town.now)
    assert runs.one(town.session, run.id).state == "checked"
    with pytest.raises(Refused, match="only_the_city"):
        runs.sign(town.session, run.id, by=town.area_official(), now=town.now)


def test_a_published_run_stays(drawn_town):
    town = drawn_town
    town.run()
    run = town.publish()
    with pytest.raises(Refused, match="run_is_published"):
        runs.set_aside(town.session, run.id, reason="不想要", by=town.city_pair()[0], now=town.now)
    with pytest.raises(Refused, match="run_is_published"):
        town.run()
    with pytest.raises(Refused, match="run_is_published"):
        town.freeze()


def test_places_that_changed_after_the_run_stop_its_publication(drawn_town):
    """The second signature is refused, and nothing is prepared."""
    town = drawn_town
    run = town.run()
    programme = town.programme_of(next(iter(town.kindergartens_by_name("金苹果"))))
    town.change_places(programme, places=1)
    first, second = town.city_pair()
    runs.sign(town.session, run.id, by=first, now=town.now)
    with pytest.raises(Refused, match="places_changed"), town.session.begin_nested():
        runs.sign(town.session, run.id, by=second, now=town.now)
    assert runs.one(town.session, run.id).state == "checked"
    assert all(town.offer_for(child) is None for child in town.everybody())
