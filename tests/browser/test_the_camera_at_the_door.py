"""The code of an admission notice, held before the camera of a tablet: the child is found, whether the browser reads codes or not."""

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from enrollment.offers.offers import Offer
from tests.browser.test_the_tablet_at_the_door import door, opens
from tests.support import chromium, fake_camera
from tests.support.axe import assert_axe_clean

__all__ = ["door"]
TABLET = {
    "viewport": {"width": 820, "height": 1180},
    "has_touch": True,
    "locale": "zh-CN",
    "timezone_id": "Asia/Shanghai",
}


@pytest.fixture
def notice(site, door):
    """The code of the notice of the third child."""
    with site.session() as session:
        return session.scalars(select(Offer.notice_code).where(Offer.id == door.offers[2])).one()


@pytest.fixture
def tablet(site, notice, tmp_path):
    """A browser whose camera sees the notice."""
    seen = fake_camera.film(tmp_path / "notice.y4m", f"{site.url}/verify/{notice}")
    flags = [flag.format(seen) for flag in fake_camera.FLAGS]
    with chromium.chromium(tmp_path, *flags) as browser:
        context = browser.new_context(**TABLET, base_url=site.url, permissions=["camera"])
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda said: page.faults.append(said.text) if said.type == "error" else None)
        yield page
        assert page.faults == []
        context.close()


def scans(page):
    page.get_by_role("button", name="扫码").click()
    expect(page.locator("#q")).to_have_value(re.compile("^[A-Z0-9]{8,}$"), timeout=30_000)


def test_a_notice_before_the_camera_opens_the_card_of_its_child(site, door, notice, tablet):
    """Without the browser's own detector, which Chromium on a PC, Firefox and Safari do not have."""
    page = opens(site, tablet, door.clerk)
    assert page.evaluate("'BarcodeDetector' in window") is False, "else the vendored reader is not what is tried here"
    scans(page)
    assert page.locator("#q").input_value() == notice
    expect(page.locator("#door .kid-row:not([hidden])")).to_have_count(1)
    child = page.locator(f'#door [data-offer="{door.offers[2]}"]')
    expect(child.locator("details")).to_have_attribute("open", "")
    expect(page.locator("#camera")).to_be_hidden()
    assert page.evaluate("document.querySelector('#camera video').srcObject") is None, "the camera is off again"
    child.get_by_label("体检表").check()
    expect(page.locator("#unsent")).to_be_hidden()


def test_it_reads_a_notice_without_a_network_and_is_closed_by_hand(site, door, notice, tablet):
    page = opens(site, tablet, door.clerk)
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some((each) => each.name.endsWith('/decode.js'))"
    )
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    scans(page)
    assert page.locator("#q").input_value() == notice
    page.faults.clear()  # the browser notes each request without a network
    page.context.set_offline(False)
    page.evaluate(
        """() => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError")) }"""
    )
    button = page.get_by_role("button", name="扫码")
    button.click()
    expect(page.get_by_role("alert")).to_contain_text("不能用摄像头")
    assert_axe_clean(page)
    page.get_by_role("button", name="关上摄像头").click()
    expect(page.locator("#camera")).to_be_hidden()
    expect(button).to_be_focused()


def test_the_browsers_own_detector_is_used_where_there_is_one(site, door, notice, tablet):
    """As on Android: it is asked for what it knows, and a code that is not of this kindergarten may come in without its name."""
    tablet.add_init_script(
        """window.BarcodeDetector = class { static async getSupportedFormats() { return ["qr_code"] }
        async detect() { return [{ rawValue: "https://elsewhere.example/verify/NOTHERE22222" }] } }"""
    )
    page = opens(site, tablet, door.clerk)
    scans(page)
    expect(page.get_by_text("名单里没有找到")).to_be_visible()
    assert page.evaluate(
        "performance.getEntriesByType('resource').every((each) => !each.name.endsWith('/decode.js'))"
    ), "nothing is loaded that is not needed"
