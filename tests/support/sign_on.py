"""A browser's walk through the test provider of the single sign-on."""

import http.client
from urllib.parse import parse_qs, urlencode, urlsplit

from portal.gateways.stand_ins.single_sign_on import TestProvider

BACK = "http://localhost/sign-in/sso/back"


def answer_of(provider: TestProvider, address: str, person: str) -> str:
    """Choose a person on the provider's page at `address`; the path with which it sends the browser back."""
    parts = urlsplit(address)
    with_provider = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=60)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        with_provider.request("POST", f"{parts.path}?{parts.query}", urlencode({"person": person}), headers)
        answer = with_provider.getresponse()
        answer.read()
        back = answer.headers["Location"]
    finally:
        with_provider.close()
    assert back.startswith(BACK), back
    return back.removeprefix("http://localhost")


def begin(client, query: str = "") -> str:
    """The provider's address to which the portal sends this browser."""
    answer = client.get(f"/sign-in/sso{query}")
    assert answer.status_code == 303
    return answer.headers["Location"]


def asked(address: str) -> dict[str, str]:
    """What the portal asks of the provider."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def walk(client, provider: TestProvider, person: str, query: str = ""):
    """From the link on the sign-in page to the portal's answer after the provider's."""
    return client.get(answer_of(provider, begin(client, query), person))
