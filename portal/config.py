"""The settings of the portal, read from the environment.  A missing or wrong setting stops the start with one line."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from enrollment.delivery.lanes import Uncertain
from enrollment.ground.accounts import LANGUAGES
from enrollment.ground.errors import Refused
from enrollment.ground.phones import country_code, parse_phone
from enrollment.ground.vault import Keys, VaultError

DEMO_SECRET = "demo-"  # noqa: S105  every secret of the demo begins with this


LEAST_CODES_PER_ADDRESS = 600
"""One-time codes that one network address may request in an hour: phones of a carrier share an address."""


MESSAGE_CONNECTIONS = 48
"""Connections to the gateway for notices: 48 messages in 130 ms are 370 a second.  Codes have others of their own."""


class Unconfigured(RuntimeError):
    """A setting is missing or wrong; the message names it and says how to correct it."""


@dataclass(frozen=True)
class SingleSignOn:
    """The city's OpenID Connect provider: its issuer, the portal's client there, and what families call it."""

    issuer: str
    client_id: str
    client_secret: str
    name: str = "城市统一身份认证"
    name_english: str = "the city's single sign-on"

    def named(self, language: str) -> str:
        return self.name_english if language == "en" else self.name


@dataclass(frozen=True)
class Wechat:
    """The service account that sends template messages: its id, secret and template, and the addresses of WeChat."""

    app_id: str
    secret: str
    template: str
    api: str = "https://api.weixin.qq.com"
    open: str = "https://open.weixin.qq.com"


@dataclass(frozen=True)
class Config:
    """`public_url` is the address families use; with https the cookies become `__Host-` and HSTS is sent.

    `sender` is the signature that begins each text message, as it is registered with the gateway.  `uncertain_codes` and
    `uncertain_notices` say what is done with a message that may or may not have been sent (`docs/messages.md`).
    `owner_database_url` signs in as the owner of the tables, for migrations and restores; no process of the portal has it.
    `audit_head_file` is where the scheduler copies the head of the audit trail, outside the database.  `backup_folder` is where
    the daily backup is written, and `backup_keep` how many are kept there.  Monitoring on another machine knows `metrics_token`.
    `alarm_phones` are told alarms, in `alarm_language`.  `template_cache` is where compiled templates are kept.
    """

    database_url: str
    redis_url: str
    secret_key: str
    keys: Keys
    owner_database_url: str | None = None
    demo: bool = False
    public_url: str = "http://127.0.0.1:8000"
    trusted_hosts: tuple[str, ...] = ()
    proxies: int = 0
    message_gateway: str | None = None
    message_token: str | None = None
    sender: str = "成都入园"
    sender_english: str = "Chengdu Kindergarten"
    message_country_codes: tuple[str, ...] = ("86",)
    message_connections: int = MESSAGE_CONNECTIONS
    message_give_up_hours: int = 24
    receipt_secret: str | None = None
    uncertain_codes: Uncertain = Uncertain.SEND_AGAIN
    uncertain_notices: Uncertain = Uncertain.SEND_AGAIN
    codes_per_address: int = LEAST_CODES_PER_ADDRESS
    register_url: str | None = None
    register_token: str | None = None
    single_sign_on: SingleSignOn | None = None
    wechat: Wechat | None = None
    map_key: str | None = None
    map_url: str | None = None
    audit_head_file: Path | None = None
    backup_folder: Path | None = None
    template_cache: Path | None = None
    backup_keep: int = 14
    metrics_token: str | None = None
    alarm_phones: tuple[str, ...] = ()
    alarm_language: str = "zh"
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


def page_processes(environ: Mapping[str, str]) -> int:
    """`PAGE_PROCESSES`: how many page processes share the socket of this one.  Without it each counts requests as if it were alone."""
    try:
        number = int(environ.get("PAGE_PROCESSES") or "1")
    except ValueError:
        number = 0
    if number < 1:
        raise Unconfigured("PAGE_PROCESSES is not a number of processes such as 4")
    return number


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
        owner_database_url=environ.get("OWNER_DATABASE_URL") or None,
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
        message_connections=int(environ.get("MESSAGE_CONNECTIONS", str(MESSAGE_CONNECTIONS))),
        message_give_up_hours=int(environ.get("MESSAGE_GIVE_UP_HOURS", "24")),
        receipt_secret=environ.get("MESSAGE_RECEIPT_SECRET") or None,
        uncertain_codes=_uncertain(environ, "MESSAGE_UNCERTAIN_CODES"),
        uncertain_notices=_uncertain(environ, "MESSAGE_UNCERTAIN_NOTICES"),
        codes_per_address=int(environ.get("CODES_PER_ADDRESS", str(LEAST_CODES_PER_ADDRESS))),
        register_url=environ.get("REGISTER_URL") or None,
        register_token=environ.get("REGISTER_TOKEN") or None,
        single_sign_on=_single_sign_on(environ, demo=demo),
        wechat=_wechat(environ),
        map_key=environ.get("MAP_KEY") or None,
        map_url=environ.get("MAP_URL") or None,
        audit_head_file=Path(environ["AUDIT_HEAD_FILE"]) if environ.get("AUDIT_HEAD_FILE") else None,
        template_cache=Path(environ["TEMPLATE_CACHE"]) if environ.get("TEMPLATE_CACHE") else None,
        backup_folder=Path(environ["BACKUP_FOLDER"]) if environ.get("BACKUP_FOLDER") else None,
        alarm_phones=tuple(_phones(environ, "ALARM_PHONES")),
        alarm_language=environ.get("ALARM_LANGUAGE") or Config.alarm_language,
        metrics_token=environ.get("METRICS_TOKEN") or None,
        backup_keep=int(environ.get("BACKUP_KEEP", str(Config.backup_keep))),
    )
    _refuse_unfit(config)
    page_processes(environ)
    return config


def _phones(environ: Mapping[str, str], name: str) -> Iterator[str]:
    for written in filter(None, map(str.strip, environ.get(name, "").split(","))):
        try:
            yield parse_phone(written)
        except Refused:
            raise Unconfigured(f"{name} has {written!r}, which is not a phone number such as 13900000001") from None


def _uncertain(environ: Mapping[str, str], name: str) -> Uncertain:
    try:
        return Uncertain(environ.get(name) or Uncertain.SEND_AGAIN)
    except ValueError:
        raise Unconfigured(f"{name} is neither {' nor '.join(Uncertain)}") from None


OF_SINGLE_SIGN_ON = ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET")


def _single_sign_on(environ: Mapping[str, str], *, demo: bool) -> SingleSignOn | None:
    """All three settings or none: without them families sign in with one-time codes alone."""
    given = {name: environ.get(name, "").strip() for name in OF_SINGLE_SIGN_ON}
    if not any(given.values()):
        return None
    if missing := [name for name, value in given.items() if not value]:
        raise Unconfigured(f"{missing[0]} is not set: single sign-on needs {', '.join(OF_SINGLE_SIGN_ON)}, or none")
    issuer = urlsplit(given["OIDC_ISSUER"])
    if issuer.scheme not in ("https", *(["http"] if demo else [])) or issuer.query or issuer.fragment:
        raise Unconfigured("OIDC_ISSUER is not an https address without query, as the provider's discovery states it")
    address, client, secret = given.values()
    return SingleSignOn(
        address,
        client,
        secret,
        name=environ.get("OIDC_NAME", "").strip() or SingleSignOn.name,
        name_english=environ.get("OIDC_NAME_ENGLISH", "").strip() or SingleSignOn.name_english,
    )


OF_WECHAT = ("WECHAT_APP_ID", "WECHAT_SECRET", "WECHAT_TEMPLATE")


def _wechat(environ: Mapping[str, str]) -> Wechat | None:
    """All three settings or none: without them notices are text messages alone."""
    given = {name: environ.get(name, "").strip() for name in OF_WECHAT}
    if not any(given.values()):
        return None
    if missing := [name for name, value in given.items() if not value]:
        raise Unconfigured(f"{missing[0]} is not set: messages to WeChat need {', '.join(OF_WECHAT)}, or none")
    app_id, secret, template = given.values()
    return Wechat(
        app_id,
        secret,
        template,
        api=environ.get("WECHAT_API", "").rstrip("/") or Wechat.api,
        open=environ.get("WECHAT_OPEN", "").rstrip("/") or Wechat.open,
    )


def _refuse_unfit(config: Config) -> None:
    if config.codes_per_address < LEAST_CODES_PER_ADDRESS:
        raise Unconfigured(
            f"CODES_PER_ADDRESS is less than {LEAST_CODES_PER_ADDRESS}: phones of a carrier share an address"
        )
    if not all(code.isdecimal() for code in config.message_country_codes):
        raise Unconfigured("MESSAGE_COUNTRY_CODES is not a list of country codes such as 86,852")
    if not 1 <= config.message_connections <= 500 or not 1 <= config.message_give_up_hours <= 24 * 14:
        raise Unconfigured("MESSAGE_CONNECTIONS is not between 1 and 500, or MESSAGE_GIVE_UP_HOURS not in two weeks")
    if config.alarm_language not in LANGUAGES:
        raise Unconfigured(f"ALARM_LANGUAGE is neither {' nor '.join(LANGUAGES)}")
    if config.metrics_token is not None and len(config.metrics_token) < 16:
        raise Unconfigured("METRICS_TOKEN is shorter than 16 characters; make a new one")
    if not 1 <= config.backup_keep <= 1000:
        raise Unconfigured("BACKUP_KEEP is not between 1 and 1000")
    if config.receipt_secret is not None and len(config.receipt_secret) < 32:
        raise Unconfigured("MESSAGE_RECEIPT_SECRET is shorter than 32 characters; make a new one with the gateway")
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
