"""The season methods of the test town."""

from enrollment.season import rounds, seasons


def test_a_round_is_opened_with_the_programmes_and_the_signed_policies(town):
    town.kindergarten("金苹果", places=2)
    town.kindergarten("小太阳", places=3, area="510108", nature="inclusive")
    town.kindergarten("大海星", places=3, nature="private")

    opened = town.open_registration()

    assert opened.stage == "open"
    assert rounds.open_for_registration(opened, town.now)
    assert len(rounds.programmes_of(town.session, opened.id)) == 2
    assert {row.area_code for row in opened.policies} == {"510104", "510108"}
    assert seasons.main_season(town.session, town.now).year == 2026


def test_after_the_deadline_registration_is_over(town):
    town.kindergarten("金苹果", places=2)
    town.open_registration()
    closed = town.close_registration()
    assert closed.stage == "closed"
    assert not rounds.open_for_registration(closed, town.now)
