"""`flask demo`: a synthetic city of any size, the same for the same seed, marked 模拟数据 on every page."""

import sys
import time

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session
from tqdm import tqdm

from portal.demo.city_builder import STEPS, CityBuilder, DatabaseNotEmpty
from portal.demo.planning import examples
from portal.web import clock
from portal.web.unit_of_work import services


class Bars:
    """A progress bar per step on a terminal; one line per ten percent in a log."""

    def __init__(self) -> None:
        self.bar: tqdm | None = None
        self.step = ""

    def report(self, step: str, done: int, of: int) -> None:
        if step != self.step:
            self.close()
            self.step, self.bar = step, tqdm(total=of, desc=step, file=sys.stderr, disable=not sys.stderr.isatty())
            self.tenth = -1
        if self.bar is not None:
            self.bar.update(done - self.bar.n)
        if not sys.stderr.isatty() and of and done * 10 // of != self.tenth:
            self.tenth = done * 10 // of
            click.echo(f"demo city: {step} {done}/{of}", err=True)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


@click.command("demo")
@click.option(
    "--children", default=3000, show_default=True, type=click.IntRange(100, 500_000), help="Children who apply."
)
@click.option("--seed", default=2026, show_default=True, help="The same seed gives the same city.")
@click.option(
    "--through",
    default="registration",
    show_default=True,
    type=click.Choice(STEPS),
    help="The last step of the season to build.",
)
@with_appcontext
def cli(children: int, seed: int, through: str) -> None:
    """Build the demo city on an empty database."""
    if not services().config.demo:
        raise click.ClickException("this is not a demo: set DEMO=1, and never on a real city's database")
    bars, began = Bars(), time.monotonic()
    try:
        CityBuilder(services().engine, children, seed, bars.report).build(through)
    except DatabaseNotEmpty:
        raise click.ClickException("there are kindergartens already; `make clean-data` begins anew") from None
    finally:
        bars.close()
    if STEPS.index(through) >= STEPS.index("registration"):
        with Session(services().engine) as session, session.begin():
            examples.request(session, now=clock.now(session, demo=True))
    click.echo(f"demo city: {children} children, through {through}, in {time.monotonic() - began:.0f} s (模拟数据)")
