"""OFF14: no text sends a family to a hotline that nobody set: it names the education office instead."""

import pytest

from portal.text.words import LANGUAGES, contact, table, word
from tests.guards.test_texts_of_codes import ROOT

NUMBER = "028-12345"


@pytest.fixture(params=[NUMBER, None])
def number(request, app, town):
    town.season().hotline = request.param
    town.session.commit()
    return request.param


@pytest.mark.parametrize("language", LANGUAGES)
def test_off14_a_contact_is_the_number_if_there_is_one_else_the_office(app, number, language):
    hotline, office = {"zh": ("服务热线", "教育局"), "en": ("hotline", "education office")}[language]
    with app.test_request_context("/"):
        said = contact(in_language=language)
        refused = word("error", "answer_too_late", in_language=language)
        with_area = contact("锦江区", in_language=language)
    assert said in refused and "{" not in refused
    assert (NUMBER in said, hotline in said) == ((True, True) if number else (False, False))
    assert (office in said) == (not number)
    assert "锦江区" in with_area and (NUMBER in with_area) == bool(number)
    assert office in contact(in_language=language), "a text message is written outside any page"


def test_off14_no_text_names_a_hotline_by_itself():
    """In words the contact is a parameter; a template names the hotline only where it shows its number."""
    by_itself = [
        (group, code)
        for group, codes in table().items()
        for code, words in codes.items()
        if "服务热线" in words["zh"] or "call the hotline" in words["en"]
    ]
    assert by_itself == []
    for file in (ROOT / "templates").rglob("*.html"):
        for line in file.read_text("utf-8").splitlines():
            if "服务热线" in line and "officials" not in file.parts:
                assert "hotline(" in line or "hotline_link" in line, f"{file.name}: {line.strip()[:80]}"
