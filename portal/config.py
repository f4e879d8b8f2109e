"""The settings of the portal, read from the environment.  A missing or wrong setting stops the start with one line."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from enrollment.ground.phones import country_code
from enrollment.ground.vault import Keys, VaultError

DEMO_SECRET = "demo-"  # noqa: S105  every secret of the demo begins with this


LEAST_CODES_PER_ADDRESS = 600
"""One-time codes that one network address may request in an hour: phones of a carrier share an address."""


class Unconfigured(RuntimeError):
    """A setting is missing or wrong; the message names it and says how to correct it."""


@dataclass(frozen=True)
class Config:
    """`public_url` is the address families use; with https the cookies become `__Host-` and HSTS is sent.

    `sender` is the signature that begins each text message, as it is registered with the gateway.
    """

    database_url: str
    redis_url: str
    secret_key: str
    keys: Keys
    demo: bool = False
    public_url: str = "http://127.0.0.1:8000"
    trusted_hosts: tuple[str, ...] = ()
    proxies: int = 0
    message_gateway: str | None = None
    message_token: str | None = None
    sender: str = "成都入园"
    sender_english: str = "Chengdu Kindergarten"
    message_country_codes: tuple[str, ...] = ("86",)
    codes_per_address: int = LEAST_CODES_PER_ADDRESS
    register_url: str | None = None
    register_token: str | None = None
    testing: bool = False

    @property
    def hosts(self) -> list[str] | None:
        """The host names that the portal answers to: `trusted_hosts`, else the host of `public_url` and this machine."""
        if self.trusted_hosts or not self.https:
            return list(self.trusted_hosts) or None
        return [urlsplit(self.public_url).hostname or "", "127.0.0.1", "localhost"]

    def can_text(self, phone: str) -> bool:
        """Whether messages reach this E.164 number.  The demo's stand-in of the gateway reaches every number."""
        return self.message_gateway is None or country_code(phone) in self.message_country_codes

    @property
    def https(self) -> bool:
        return self.public_url.startswith("https://")


def _needed(environ: Mapping[str, str], name: str, purpose: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise Unconfigured(f"{name} is not set: {purpose}")
    return value


def from_environment(environ: Mapping[str, str] = os.environ) -> Config:
    """Read every setting.  Raises Unconfigured, in production also for a secret or key of the demo."""
    demo = environ.get("DEMO", "") == "1"
    secret = _needed(environ, "SECRET_KEY", "at least 32 random characters that sign forms and cookies")
    key_file = Path(
        _needed(
            environ,
            "KEY_FILE",
            "the file with the keys of the sealed columns; `python -m portal.operations.keys FILE` makes one",
        )
    )
    try:
        keys = Keys.from_file(key_file)
    except VaultError as fault:
        raise Unconfigured(str(fault)) from fault
    config = Config(
        database_url=_needed(environ, "DATABASE_URL", "the address of PostgreSQL 18 or newer"),
        redis_url=_needed(environ, "REDIS_URL", "the address of Redis or Valkey"),
        secret_key=secret,
        keys=keys,
        demo=demo,
        public_url=environ.get("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/"),
        trusted_hosts=tuple(host for host in environ.get("TRUSTED_HOSTS", "").split(",") if host),
        proxies=int(environ.get("PROXIES", "0")),
        message_gateway=environ.get("MESSAGE_GATEWAY") or None,
        message_token=environ.get("MESSAGE_TOKEN") or None,
        sender=environ.get("MESSAGE_SENDER", "").strip() or Config.sender,
        sender_english=environ.get("MESSAGE_SENDER_ENGLISH", "").strip() or Config.sender_english,
        message_country_codes=tuple(
            code.strip().lstrip("+") for code in environ.get("MESSAGE_COUNTRY_CODES", "86").split(",") if code.strip()
        ),
        codes_per_address=int(environ.get("CODES_PER_ADDRESS", str(LEAST_CODES_PER_ADDRESS))),
        register_url=environ.get("REGISTER_URL") or None,
        register_token=environ.get("REGISTER_TOKEN") or None,
    )
    _refuse_unfit(config)
    return config


def _refuse_unfit(config: Config) -> None:
    if config.codes_per_address < LEAST_CODES_PER_ADDRESS:
        raise Unconfigured(
            f"CODES_PER_ADDRESS is less than {LEAST_CODES_PER_ADDRESS}: phones of a carrier share an address"
        )
    if not all(code.isdigit() for code in config.message_country_codes):
        raise Unconfigured("MESSAGE_COUNTRY_CODES is not a list of country codes such as 86,852")
    if config.demo and config.https:
        raise Unconfigured("DEMO=1 with an https PUBLIC_URL: the demo shows codes and passwords; unset one of the two")
    if config.demo:
        return
    if config.secret_key.startswith(DEMO_SECRET):
        raise Unconfigured("SECRET_KEY is the demo's; make a new one")
    if len(config.secret_key) < 32:
        raise Unconfigured("SECRET_KEY is shorter than 32 characters; make a new one")
    if config.keys.current.startswith("demo"):
        raise Unconfigured("KEY_FILE is the demo's; `python -m portal.operations.keys FILE` makes a new one")
    if not config.message_gateway:
        raise Unconfigured("MESSAGE_GATEWAY is not set: without it no family can get its one-time code")
