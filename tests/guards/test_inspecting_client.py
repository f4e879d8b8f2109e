"""The inspecting test client finds every kind of fault that it checks for."""

import pytest

from tests.support import inspecting_client
from tests.support.inspecting_client import faults_of

GOOD = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>志愿顺序 - 成都</title></head>
<body><main><h1>志愿顺序</h1>
<form method="post"><input type="hidden" name="csrf_token" value="x">
<label for="a">姓名</label><input id="a" name="a" aria-describedby="hint"><p id="hint">全名</p>
<button>继续</button></form><a href="/help">帮助</a></main></body></html>"""


def test_a_good_page_has_no_fault():
    assert faults_of(GOOD) == []


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("<h1>志愿顺序</h1>", "<h1>志愿顺序</h1><h1>又一个</h1>", "2 h1"),
        ("<title>志愿", "<title>成都 志愿", "does not begin"),
        ('lang="zh-CN"', 'lang="zh"', "lang"),
        ('<label for="a">姓名</label>', "", "no label"),
        ('<p id="hint">', '<p id="a">', "stands 2 times"),
        ('id="hint"', 'id="other"', "not there"),
        ("<button>", "<button onclick='go()'>", "inline"),
        ("<main>", '<main style="color:red">', "inline"),
        ("</main>", "<script>go()</script></main>", "inline <script>"),
        ("</main>", "<style>p{}</style></main>", "inline <style>"),
        ("</form>", "</form></div>", "HTML, line"),
        ("<p id", "<p><div>x</div></p><p id", "HTML, line"),
        ('name="csrf_token"', 'name="other"', "csrf_token"),
        ("<button>继续", "<button>", "empty button"),
        ('href="/help">帮助', 'href="/help">', "without words"),
        ('href="/help"', 'href="#"', "nowhere"),
        ("</main>", "<img src=a.png></main>", "alt"),
    ],
)
def test_a_planted_fault_is_found(before, after, words):
    assert before in GOOD
    assert any(words in fault for fault in faults_of(GOOD.replace(before, after, 1)))


def test_a_page_that_comes_again_is_inspected_once_whatever_its_tokens(monkeypatch, client):
    looked = []
    monkeypatch.setattr(inspecting_client, "_inspected", {})
    monkeypatch.setattr(inspecting_client, "faults_of", lambda text, **_: looked.append(text) or [])
    first, again = client.get("/sign-in"), client.get("/sign-in")
    assert first.text != again.text, "each answer has tokens of its own"
    assert len(looked) == 1
    client.get("/sign-in?lang=en")
    assert len(looked) == 2
