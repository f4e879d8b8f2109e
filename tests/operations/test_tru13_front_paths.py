"""TRU13, TRU14: what the proxy knows of the portal by heart is what the portal does: its routes, its forms, its types of content."""

import re
from urllib.parse import urlencode

import pytest
from flask_wtf import FlaskForm
from wtforms.fields.core import UnboundField
from wtforms.validators import Length

from enrollment.announcements.announcements import LONGEST_BODY, LONGEST_REASON, LONGEST_TITLE
from portal.officials.forms import PolicyForm
from portal.operations.proxy.configuration import configuration
from portal.operations.proxy.front import COMPRESSED, LARGEST_ORDINARY, Front, Sockets
from portal.web.front import paths
from tests.operations.proxied import KINDS
from tests.operations.serving import ROOT

SMALL_ALREADY = {
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/zip",
    "image/jpeg",
    "image/png",
    "image/webp",
}
OF_REQUESTS = {"application/x-www-form-urlencoded"}
"""What requests alone have."""

CHINESE = 9
"""Bytes of a Chinese character in a form without files."""


def posted(app, *, uploads: bool) -> set[str]:
    rules = [rule for rule in app.url_map.iter_rules() if "POST" in rule.methods]
    taken = [rule for rule in rules if hasattr(app.view_functions[rule.endpoint], "largest_upload") == uploads]
    return {re.sub("<[^>]+>", "*", rule.rule) for rule in taken}


def test_tru13_the_proxy_lets_files_through_to_the_routes_that_take_them_and_to_no_other(whole_app):
    assert set(paths.UPLOADS) == posted(whole_app, uploads=True)
    assert set(paths.LARGE_FORMS) <= posted(whole_app, uploads=False)
    assert all(map(paths.is_of_desk, paths.LARGE_FORMS)), "the configurations know none of families"


def test_tru13_the_paths_of_uploads_are_whole_paths():
    matches = re.compile(paths.exactly(paths.UPLOADS + paths.LARGE_FORMS)).search
    assert matches("/parents/applications/1f/evidence") and matches("/officials/2026/imports/1f/take-in")
    for path in ("/parents/applications/1f/evidence/", "/x/staff/roll/imports", "/parents/applications/1/2/evidence",
                 "/staff/roll/imports/1f", "/parents"):  # fmt: skip
        assert not matches(path), path


@pytest.mark.parametrize("path", paths.DESK_PATHS + paths.SHARED_PATHS)
def test_tru03_each_path_of_the_proxy_is_that_of_a_route(whole_app, path):
    stands = re.compile(paths.beginning((path,)))
    found = [rule.rule for rule in whole_app.url_map.iter_rules() if stands.match(rule.rule)]
    assert found or path == "gateway"


def forms(kind=FlaskForm):
    for each in kind.__subclasses__():
        yield each
        yield from forms(each)


def longest(form) -> int:
    """Bytes of the texts of a form, as far as their fields bound them."""
    fields = [field for name in dir(form) if isinstance(field := getattr(form, name, None), UnboundField)]
    validators = [each for field in fields for each in (*field.args, field.kwargs.get("validators"))]
    bounds = [each for found in validators if isinstance(found, (list, tuple)) for each in found]
    return sum(CHINESE * each.max for each in bounds if isinstance(each, Length) and each.max > 0)


def test_tru13_every_form_without_files_is_smaller_than_what_the_proxy_takes(whole_app):
    found = {form.__qualname__: longest(form) for form in forms()}
    assert found.pop(PolicyForm.__qualname__) > LARGEST_ORDINARY, "so its route stands among the larger ones"
    assert {name: size for name, size in found.items() if size > 0.9 * LARGEST_ORDINARY} == {}
    texts = dict.fromkeys(("body_zh", "body_en"), "安" * LONGEST_BODY)
    texts |= {"title_zh": "安" * LONGEST_TITLE, "title_en": "安" * LONGEST_TITLE, "reason": "安" * LONGEST_REASON}
    assert len(urlencode(texts)) < 0.9 * LARGEST_ORDINARY


def types_of_content() -> set[str]:
    """All that stand in the sources of the portal."""
    named = re.compile(r"""["']((?:text|application|image|font|audio|video)/[a-z0-9.+-]+)""")
    # a stand-in of another system is reached through no proxy of ours
    files = [
        path for path in (ROOT / "portal").rglob("*.py") if "stand_ins" not in path.parts and path.name != "front.py"
    ]
    return {kind for path in files for kind in named.findall(path.read_text("utf-8"))}


def test_tru14_everything_that_the_portal_sends_and_can_be_made_smaller_is_compressed():
    found = types_of_content() - OF_REQUESTS
    assert {"application/atom+xml", "application/ld+json", "application/csvm+json", "text/calendar"} <= found
    assert found - SMALL_ALREADY - set(COMPRESSED) == set()
    assert not SMALL_ALREADY & set(COMPRESSED)


@pytest.mark.parametrize("kind", KINDS)
def test_tru14_both_proxies_compress_these_types(tmp_path, kind):
    written = configuration(kind, Front("127.0.0.1:1", Sockets(tmp_path), tmp_path, 1))
    if kind == "caddy":
        said = re.findall(r"header Content-Type (\S+)\*", written)
    else:
        said = ["text/html", *re.search(r"gzip_types ([^;]+);", written)[1].split()]
    assert said == list(COMPRESSED)
