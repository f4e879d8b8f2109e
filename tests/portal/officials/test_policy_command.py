"""`flask policy check` and `flask policy template`."""

import json

import pytest

from enrollment.season import policy_approval, policy_file


@pytest.fixture
def run(whole_app):
    return whole_app.test_cli_runner().invoke


@pytest.mark.parametrize("family", [*policy_file.FAMILIES, "example"])
def test_a_template_passes_its_own_check(run, tmp_path, family):
    printed = run(args=["policy", "template", family, "--area", "510115", "--year", "2027"])
    assert printed.exit_code == 0
    file = tmp_path / "rules.toml"
    file.write_text(printed.output, "utf-8")
    checked = run(args=["policy", "check", str(file)])
    assert checked.exit_code == 0, checked.output
    assert "510115 2027" in checked.output
    assert policy_file.read(printed.output).area == "510115"


def test_faults_are_listed_by_line_and_end_with_status_2(run, tmp_path):
    file = tmp_path / "rules.toml"
    file.write_text(
        policy_approval.template("whole_district", "510104", 2026).replace("tier = 0", "tier = 16"), "utf-8"
    )
    checked = run(args=["policy", "check", str(file)])
    assert checked.exit_code == 2
    line = next(n for n, text in enumerate(file.read_text("utf-8").splitlines(), 1) if text == "tier = 16")
    assert f"{file}:{line}: rule[1].tier:" in checked.output
    listed = json.loads(run(args=["policy", "check", "--json", str(file)]).output)
    assert [fault["line"] for fault in listed["faults"]] == [line]


@pytest.mark.parametrize("as_json", [False, True])
def test_off08_all_faults_in_one_pass_on_the_command_line(run, tmp_path, as_json):
    """OFF08: an unknown key, a tier that nobody reaches, a wrong year and a wrong area."""
    file = tmp_path / "rules.toml"
    text = policy_approval.template("whole_district", "510104", 2027)
    text = text.replace("[pairs]", "[pairs]\ncolour = 1").replace("[default]\ntier = ", "[default]\ntier = 0 # ")
    file.write_text(text, "utf-8")
    args = ["policy", "check", str(file), "--area", "510105", "--year", "2026", *(["--json"] if as_json else [])]
    checked = run(args=args)
    assert checked.exit_code == 2
    for key in ("pairs.colour", "default.tier", "year", "area"):
        assert (f'"key": "{key}"' if as_json else f" {key}: ") in checked.output, checked.output


def test_a_binary_file_is_refused(run, tmp_path):
    file = tmp_path / "rules.toml"
    file.write_bytes(b"\x89PNG\xff\xfe")
    checked = run(args=["policy", "check", str(file)])
    assert checked.exit_code == 1
    assert "UTF-8" in checked.output
