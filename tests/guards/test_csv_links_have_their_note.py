"""Beside every link to a CSV file stands what a spreadsheet program does to it; who adds a download cannot miss it."""

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "templates"
TO_A_CSV = re.compile(r"url_for\([^)]*csv|\.csv[\"']|in \(\"xlsx\", \"csv\"\)")
"""An address of a CSV file: an endpoint, a form or a name with `csv`, or a loop over both forms."""


def templates_with_a_csv() -> list[str]:
    found = (path for path in TEMPLATES.rglob("*.html") if TO_A_CSV.search(path.read_text("utf-8")))
    return sorted(str(path.relative_to(TEMPLATES)) for path in found)


def test_the_downloads_are_found():
    found = templates_with_a_csv()
    assert {"staff/report.html", "officials/report.html", "staff/roll.html", "public/coverage.html"} <= set(found)
    assert len(found) >= 14


@pytest.mark.parametrize("name", templates_with_a_csv())
def test_a_page_with_a_csv_file_says_what_a_spreadsheet_does_to_it(name):
    assert re.search(r"\{\{ csv_note\(", (TEMPLATES / name).read_text("utf-8")), (
        "call csv_note (parts/csv_note.html) beside the link"
    )
