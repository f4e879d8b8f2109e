"""Applications are locked FOR NO KEY UPDATE: a row that names one as its elder sibling asks for it with FOR KEY SHARE.

With FOR UPDATE two clerks who each lock a part of one family, and then write, wait for each other.
"""

import re

from tests.guards.test_texts_of_codes import ROOT

LOCK = re.compile(
    r"with_for_update\((?P<how>[^)]*\bof=Application\b[^)]*)\)|get(?:_one)?\(\s*Application,[^)]*with_for_update=(?P<whole>True)"
)


def test_nothing_locks_the_key_of_an_application():
    wrong = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for folder in ("enrollment", "portal")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for found in LOCK.finditer(path.read_text("utf-8"))
        if found["whole"] or "key_share=True" not in found["how"]
    ]
    assert wrong == []


def test_the_pattern_knows_both_forms():
    assert LOCK.search("select(x).with_for_update(of=Application, skip_locked=True)")["how"]
    assert LOCK.search("session.get_one(Application, id_, with_for_update=True)")["whole"]
