"""The README of the engine is run block by block: what it prints is what stands there."""

import contextlib
import io
import re
from pathlib import Path

README = Path(__file__).parents[2] / "allocation" / "README.md"
BLOCKS = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", re.DOTALL)


def run_blocks(text: str) -> list[tuple[str, str]]:
    """For each block of code what it printed, and what the text says that it prints."""
    names: dict[str, object] = {}
    found = []
    for code, expected in BLOCKS.findall(text):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, README.name, "exec"), names)
        found.append((printed.getvalue(), expected))
    return found


def test_the_worked_example_prints_what_the_readme_says():
    blocks = run_blocks(README.read_text("utf-8"))
    assert len(blocks) == 5
    for printed, expected in blocks:
        assert printed == expected and printed
