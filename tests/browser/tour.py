"""`make tour`: builds a demo city, walks its stories, takes their pictures, and writes `docs/tour.md` with them.

The pictures stand in `portal/static/tour/`, where the page `/demo/tour` shows them too.
"""

import argparse
import io
import os
import sys
import tempfile
from pathlib import Path

import PIL.Image
from playwright.sync_api import Browser, Page, expect

from portal.demo import tour
from portal.text.words import table
from tests.browser.screenshots import ROOT, portal
from tests.support.chromium import chromium, is_there, open_context
from tests.support.demo_visitor import sign_in

PICTURES = ROOT / "portal" / "static" / "tour"
DOCUMENT = ROOT / "docs" / "tour.md"
PHONE, DESK = (390, 760), (1280, 800)
QUALITY = 60


def document() -> str:
    """The text of `docs/tour.md`: the English words, each story with the pictures of its pages."""
    words = table()
    parts = [
        "# A tour of the demo",
        "",
        "Three stories of five minutes. `make serve` starts the demo; its page `/demo/tour` has the same stories in Chinese and",
        "English with links to the pages. `/demo/inbox` shows the codes for signing in, `/demo/clock` moves the date. All people and",
        "numbers are invented (模拟数据). `make tour` takes the pictures anew and writes this page.",
    ]
    for story in tour.STORIES:
        parts += ["", f"## {words['tour_story'][story.code]['en']}", "", words["tour_story_lead"][story.code]["en"]]
        for number, step in enumerate(story.steps, 1):
            title, text = words["tour_step"][step.code]["en"], words["tour_step_text"][step.code]["en"]
            who = f", signed in as `{step.login}`" if step.login else ""
            width = 260 if story.on_a_phone else 640
            parts += ["", f"### {number}. {title}", "", f"{text} (`{step.path}`{who})", ""]
            parts += [f'<img src="../portal/static/tour/{step.code}-en.webp" alt="{title}" width="{width}">']
    return "\n".join(parts) + "\n"


def take(browser: Browser, url: str) -> None:
    """Take the pictures of all steps, in the order of the season, which only goes forward."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    steps = [(step, story.on_a_phone) for story in tour.STORIES for step in story.steps]
    for moment in (tour.REGISTRATION, tour.REVIEW, tour.RESULT, tour.ARRIVAL):
        now = [(step, phone) for step, phone in steps if step.season_step == moment]
        move_to(browser, url, moment)
        for login, phone in sorted({(step.login, phone) for step, phone in now}):
            # one session for all pages of a person: a second factor can be used once
            context = open_context(browser, phone=phone, base_url=url)
            context.set_default_timeout(60_000)
            page = context.new_page()
            width, height = PHONE if phone else DESK
            page.set_viewport_size({"width": width, "height": height})
            if login:
                sign_in(page, login)
            for step, on_a_phone in now:
                if (step.login, on_a_phone) == (login, phone):
                    picture(page, step, (width, height))
            context.close()


def move_to(browser: Browser, url: str, moment: str) -> None:
    """Move the demo's clock stop by stop until the step is reached."""
    context = open_context(browser, phone=False, base_url=url)
    page = context.new_page()
    while True:
        page.goto("/demo/clock")
        if page.locator("main .says.warn").count():
            page.wait_for_timeout(2_000)
            continue
        if passed(page, moment):
            break
        page.locator("main ol.list form button").first.click()
        page.wait_for_load_state()
    context.close()


def passed(page: Page, moment: str) -> bool:
    """Whether the list of stops has this one as reached."""
    word = table()["season_step"][moment]["zh"]
    row = page.locator("main ol.list > li", has_text=word).first
    return row.locator(".tag.grey").count() > 0


def picture(page: Page, step: tour.Step, size: tuple[int, int]) -> None:
    """Take one page in both languages."""
    path = address(page, step)
    for language in tour.PICTURE_LANGUAGE:
        page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
        page.wait_for_load_state("networkidle")
        expect(page.locator("h1").first).to_be_visible()
        image = PIL.Image.open(io.BytesIO(page.screenshot()))
        image.convert("RGB").resize(size).save(PICTURES / f"{step.code}-{language}.webp", quality=QUALITY)
        print(f"{step.code}-{language}.webp", flush=True)
    page.goto("/?lang=zh")


def address(page: Page, step: tour.Step) -> str:
    """The address of a step as the page of the tour links it."""
    page.goto("/demo/tour")
    found = page.locator(f"#step-{step.code} a.open")
    expect(found).to_have_count(1)
    return found.get_attribute("href") or ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make tour")
    parser.add_argument("--port", type=int, default=int(os.environ.get("TOUR_PORT") or 8790))
    asked = parser.parse_args()
    if not is_there():
        print("make tour: Chromium is missing: sudo apt-get install -y chromium-headless-shell", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PORTAL_DATA"] = str(Path(folder) / "data")
        with portal(asked.port) as url, chromium(Path(folder)) as browser:
            take(browser, url)
    DOCUMENT.write_text(document(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
