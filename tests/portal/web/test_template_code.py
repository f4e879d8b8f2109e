"""Compiled templates are kept for the next process, and never stand in the way of a page."""

import os

import pytest
from flask import Flask
from jinja2 import DictLoader

from portal.text import template_code
from portal.text.page_environment import PageEnvironment


def page(folder, source: str = "你好 {{ name }}") -> str:
    """As a process that has just started renders it."""
    environment = PageEnvironment(
        Flask("pages"), loader=DictLoader({"page.html": source}), bytecode_cache=template_code.kept_in(folder)
    )
    return environment.get_template("page.html").render(name="安娜")


def test_a_process_takes_what_an_earlier_one_has_compiled(tmp_path, monkeypatch):
    assert page(tmp_path) == "你好 安娜"
    monkeypatch.setattr(PageEnvironment, "compile", None)
    assert page(tmp_path) == "你好 安娜"
    with pytest.raises(TypeError):
        page(tmp_path, "再见 {{ name }}")
    monkeypatch.undo()
    assert page(tmp_path, "再见 {{ name }}") == "再见 安娜"


def test_a_folder_that_is_damaged_or_closed_costs_time_alone(tmp_path):
    page(tmp_path)
    [kept] = tmp_path.glob("templates-*/*")
    for damage in (b"", kept.read_bytes()[:20], bytes(2000)):
        kept.write_bytes(damage)
        assert page(tmp_path) == "你好 安娜"
    kept.unlink()
    kept.mkdir()
    (kept / "in the way").touch()
    assert page(tmp_path) == "你好 安娜"
    (tmp_path / "file").touch()
    assert page(tmp_path / "file") == "你好 安娜"


def test_other_modules_or_another_version_compile_anew_and_nobody_else_writes_there(tmp_path):
    module = tmp_path / "filters.py"
    module.write_text("one = 1")
    before = template_code.sources_digest(tmp_path)
    module.write_text("one = 11")
    assert template_code.sources_digest(tmp_path) != before
    (tmp_path / "templates-of-before").mkdir()
    page(tmp_path)
    [folder] = tmp_path.glob("templates-*")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert os.access(folder, os.W_OK)
