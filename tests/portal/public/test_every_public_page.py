"""Every public page opens in both languages, with and without a season; the client looks at each of them."""

import re

import pytest

PAGES = (
    "/",
    "/check",
    "/kindergartens",
    "/vacancies",
    "/help",
    "/privacy",
    "/accessibility",
    "/coverage",
    "/sign-in",
    "/sign-in/staff",
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_in_both_languages_before_anything_is_there(client, path, language):
    page = client.get(path, query_string={"lang": language})
    assert page.status_code == 200
    assert ('<html lang="en"' if language == "en" else '<html lang="zh-CN"') in page.text


@pytest.mark.parametrize("path", ["/", "/check", "/kindergartens", "/help", "/privacy", "/accessibility", "/coverage"])
def test_the_english_page_keeps_no_chinese_sentence(client, town, path):
    town.season()
    town.kindergarten("锦官新城幼儿园", places=50)
    town.session.commit()
    page = client.get(path, query_string={"lang": "en"}).text
    main = page[page.index("<main") : page.index("</main>")]
    without_names = re.sub(r'<[^>]*lang="zh-CN"[^>]*>.*?</', "", main, flags=re.S)
    left = [line.strip() for line in without_names.splitlines() if CHINESE.search(line)]
    # the words that the law wants on a sketch map stay in Chinese on both pages
    assert [line for line in left if "示意图，非标准地图" not in line] == []


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_that_the_demo_is_simulated_and_has_its_two_switches(client, path):
    page = client.get(path).text
    assert "模拟数据 · 演示环境" in page
    assert "lang=en" in page
    assert "关怀版" in page
    assert 'href="#main"' in page


def test_large_text_is_remembered_until_it_is_switched_off(client):
    back = client.get("/text-size?size=large&to=/help")
    assert back.status_code == 303
    assert back.location == "/help"
    assert 'class="large"' in client.get("/help").text
    client.get("/text-size?size=normal&to=/help")
    assert 'class="large"' not in client.get("/help").text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_text_size_switch_leads_nowhere_else(client, target):
    assert client.get("/text-size", query_string={"size": "large", "to": target}).location == "/"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_unknown_address_gets_a_calm_page_with_a_way_on(client, language):
    page = client.get("/nowhere", query_string={"lang": language})
    assert page.status_code == 404
    assert 'href="/help"' in page.text


def test_a_method_that_is_not_meant_gets_a_calm_page(client):
    assert client.put("/help").status_code == 405


@pytest.mark.parametrize("status", [403, 409, 413, 429, 503])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_other_error_pages_are_whole_pages(app, status, language):
    from portal.web.errors import error_page
    from tests.support.inspecting_client import faults_of

    with app.test_request_context("/help", query_string={"lang": language}):
        page, answered = error_page(status)
    assert answered == status
    assert faults_of(page) == []


def test_a_broken_part_shows_its_reference_and_no_detail(app):
    from portal.web.errors import error_page
    from tests.support.inspecting_client import faults_of

    with app.test_request_context("/"):
        page, _status = error_page(500, reference="1A2B3C4D")
    assert "1A2B3C4D" in page
    assert faults_of(page) == []
