"""TRU17: the page that waits for a letter turns to it by itself, without JavaScript; a real worker draws it."""

import pypdf
import pytest
from playwright.sync_api import expect

from enrollment.ground.jobs import Job
from enrollment.results import letters
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.chromium import LANGUAGE, PHONE
from tests.support.town import Town


@pytest.fixture
def receipt(site, now) -> tuple[str, str]:
    """The key of a family's session, and the address of its receipt as PDF."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        ana = town.child("李沐晨", wishes=[town.kindergarten("锦官新城幼儿园", places=3)])
        return signed_in_key(session, ana.entered_by), f"/parents/applications/{ana.id}/receipts/1.pdf"


@pytest.mark.long
def test_tru17_the_waiting_page_gives_the_letter_by_itself(site, workers, browser, receipt):
    key, address = receipt
    context = browser.new_context(**PHONE, **LANGUAGE["zh-CN"], base_url=site.url, java_script_enabled=False)
    context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    page = context.new_page()
    with page.expect_download(timeout=60_000) as coming:
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text("PDF 正在准备")
    expect(page.get_by_role("heading", level=1)).to_have_text("PDF 做好了")
    text = "".join(pypdf.PdfReader(coming.value.path()).pages[0].extract_text().split())
    assert "入园申请提交回执" in text and "李沐晨" in text
    with site.session() as session:
        job = session.query(Job).filter_by(kind=letters.DRAW).one()
        assert (job.state, job.attempts) == ("done", 1)
    context.close()
