"""What a command prints: lines for people, or one JSON document for scripts."""

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

import click

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
"""The option of a command that scripts read."""


def answer(value: Any, lines: Iterable[str], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(value, ensure_ascii=False, indent=1, default=_plain))
        return
    for line in lines:
        click.echo(line)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)
