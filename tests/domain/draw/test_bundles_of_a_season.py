"""The public files of a whole season, from the first draw to a late joiner's, are right by both implementations."""

import json

import pytest

from allocation import verify
from allocation.files import bundle
from enrollment.draw.run_rows import Run, WishReason
from tests.engine.test_javascript import assert_all_equal, found_in
from tests.support.chromium import open_context
from tests.support.verifier import served

pytestmark = pytest.mark.browser


@pytest.fixture
def bundles(town):
    """The bundles of a main run, of the replay after a family gave up, and of a supplementary round with a late joiner."""
    jinpingguo, mudan = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=2)
    ana, ben, cui = (town.child(name, wishes=[jinpingguo, mudan]) for name in ("安娜", "本本", "翠翠"))
    twins = town.twins("宁宁", "静静", wishes=[mudan])
    runs = [town.drawn(ana, ben, cui, twins[0])]
    town.decline(ana)
    town.confirm(ben, wait=True)
    town.silence()
    runs.append(town.replay())
    town.silence_if_any()
    town.round(kind="supplementary")
    town.open_registration()
    town.programme(town.kindergarten("腊梅"), places=1)
    late = town.child("晚晚", wishes=[jinpingguo])
    runs.append(town.drawn())
    told = {reason.ticket for reason in town.session.query(WishReason).filter_by(application_id=late.id)}
    assert told == {town.ticket_of(late)} == {6}, "its ticket stands after those of the first draw, also in its reasons"
    return [bytes(town.session.get_one(Run, run.id).bundle) for run in runs]


def test_every_bundle_is_right_by_both_implementations(browser, bundles, tmp_path):
    for number, content in enumerate(bundles):
        (tmp_path / f"{number}.zip").write_bytes(content)
        assert verify(tmp_path / f"{number}.zip") == []
    opened = [bundle.unpack(tmp_path / f"{number}.zip") for number in range(3)]
    assert [one.draw.seed is not None for one in opened] == [True, False, True]
    assert any(row.rpartition(",")[2] for row in opened[1].market["children.csv"].decode().splitlines()[1:])
    assert "by_tier" in json.loads(opened[0].result["summary.json"])
    with served() as address:
        context = open_context(browser, phone=False)
        page = context.new_page()
        page.goto(address)
        assert_all_equal(found_in(page, bundles))
        context.close()
