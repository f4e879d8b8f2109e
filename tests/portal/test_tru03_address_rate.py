"""TRU03: a page process takes so many requests of one address; nginx refuses before, Caddy cannot."""

import pytest

from portal.config import Unconfigured, page_processes
from portal.web.front.address_rate import BURST, HEADER, RATE, AddressRate, line_of
from portal.web.front.lane import Lane


def test_tru03_a_flood_of_an_address_is_refused_before_its_session_is_read(client, app, monkeypatch):
    hand = [0.0]
    monkeypatch.setattr(app.wsgi_app._inner, "addresses", AddressRate(rate=2, burst=5, moment=lambda: hand[0]))

    def ask(address):
        return client.get("/help", headers={"X-Forwarded-For": address})

    assert [ask("203.0.113.9").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    refused = ask("203.0.113.9")
    assert (refused.headers[HEADER], refused.headers["Retry-After"], refused.data) == ("1", "5", b"")
    assert ask("198.51.100.1").status_code == 200, "others are served"
    assert ask("203.0.113.10, 203.0.113.9").status_code == 429, "the address is the one that our proxy writes"
    hand[0] += 1
    assert [ask("203.0.113.9").status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/help").status_code == 200, "without a proxy there is no visitor's address"


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:7::a:b:c", "2001:db8:7::"),
        ("2001:db8:7:0:1:2:3:4", "2001:db8:7::"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("not:an:address", "not:an:address"),
    ],
)
def test_tru03_an_ipv6_line_counts_once(address, line):
    assert line_of(address) == line


@pytest.mark.parametrize(("processes", "part"), [("", 1), ("1", 1), ("2", 1), ("4", 1 / 2), ("32", 1 / 16)])
def test_tru03_a_process_counts_its_part_of_those_that_run_not_of_the_cores(monkeypatch, processes, part):
    """On 16 cores with the 2 + 2 processes of the units a carrier's address has what the proxy grants it, 200 a second."""
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    lane = Lane(lambda *_: [], None)
    monkeypatch.setenv("PAGE_PROCESSES", processes)  # a standby learns it after it has loaded the portal
    assert (lane.addresses.rate, lane.addresses.burst) == (RATE * part, BURST * part)
    together = int(processes or 1)
    assert RATE <= together * lane.addresses.rate <= 2 * RATE


@pytest.mark.parametrize("written", ["0", "-1", "two", "1.5"])
def test_tru03_a_number_of_processes_that_is_none_is_refused(written):
    with pytest.raises(Unconfigured, match="PAGE_PROCESSES"):
        page_processes({"PAGE_PROCESSES": written})


def test_tru03_addresses_that_are_quiet_again_are_forgotten_and_busy_ones_are_not():
    hand = [0.0]
    rate = AddressRate(rate=1, burst=2, moment=lambda: hand[0], most=3)
    assert rate.takes("quiet")
    hand[0] += 10
    assert [rate.takes("busy") for _ in range(3)] == [True, True, False]
    assert rate.takes("third")
    assert rate.takes("fourth")
    assert not rate.takes("busy"), "a flood of addresses gives a refused one no new bucket"
