"""The command names every tampering in a line of its own; that the page does too is in `test_javascript.py`."""

import zipfile

import pytest

from allocation import __main__ as command
from tests.engine.tampering import TAMPERINGS, whole_bundle


@pytest.mark.parametrize("name", TAMPERINGS)
def test_every_tampering_is_named(name, tmp_path, capsys):
    tampering = TAMPERINGS[name]
    (tmp_path / "bundle.zip").write_bytes(tampering.change(whole_bundle()))
    assert command.main(["verify", str(tmp_path / "bundle.zip")]) == tampering.status
    said = capsys.readouterr()
    assert tampering.line in (said.err if tampering.status == 2 else said.out)
    assert not (tampering.status == 2 and said.out), "bad input is not verified"


def test_a_bundle_that_was_unpacked_is_verified_too(tmp_path, capsys):
    (tmp_path / "bundle.zip").write_bytes(whole_bundle())
    zipfile.ZipFile(tmp_path / "bundle.zip").extractall(tmp_path / "folder")
    assert command.main(["verify", str(tmp_path / "folder")]) == 0
    assert capsys.readouterr().out.startswith("verified")
    (tmp_path / "folder" / "more.txt").write_text("x")
    assert command.main(["verify", str(tmp_path / "folder")]) == 1
    assert capsys.readouterr().out == "more.txt does not belong into a bundle\n"


def test_a_remark_is_no_difference(tmp_path, capsys):
    (tmp_path / "bundle.zip").write_bytes(TAMPERINGS["packed anew"].change(whole_bundle()))
    assert command.main(["verify", str(tmp_path / "bundle.zip")]) == 0
    assert "packed again" in capsys.readouterr().err
