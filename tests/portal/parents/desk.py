"""How a test reads a family's page."""

from bs4 import BeautifulSoup


def page(answer) -> BeautifulSoup:
    return BeautifulSoup(answer.text, "lxml")


def errors(answer) -> dict[str, str]:
    """The error message of each field by the field's id; checks that each is also in the error summary."""
    soup = page(answer)
    beside = {
        element["id"].removesuffix("-error"): element.get_text(" ", strip=True)
        for element in soup.select(".govuk-error-message")
    }
    on_top = [line.get_text(strip=True) for line in soup.select(".govuk-error-summary__list li")]
    for text in beside.values():
        assert any(line in text for line in on_top), (text, on_top)
    return beside


def summary(answer) -> list[str]:
    return [line.get_text(strip=True) for line in page(answer).select(".govuk-error-summary__list li")]


def value_of(answer, name: str) -> str | None:
    """What a field of the page holds."""
    field = page(answer).select_one(f"[name={name}]")
    if field.name == "select":
        chosen = field.select_one("option[selected]")
        return chosen["value"] if chosen else None
    if field.get("type") == "radio":
        chosen = page(answer).select_one(f"[name={name}][checked]")
        return chosen["value"] if chosen else None
    return field.get("value")


def hidden(answer, form: str = "main form[method=post]") -> dict[str, str]:
    found = page(answer).select_one(form)
    return {field["name"]: field.get("value", "") for field in found.select("input[type=hidden]")}


def filled(answer, form: str = "main form[method=post]") -> dict[str, list[str]]:
    """What a browser would send of a form that nobody touched, without its files."""
    sent: dict[str, list[str]] = {}
    for field in page(answer).select_one(form).select("input[name], select[name], textarea[name]"):
        if field.name == "select":
            value = chosen["value"] if (chosen := field.select_one("option[selected]")) else None
        elif field.get("type") in ("radio", "checkbox"):
            value = field.get("value", "y") if field.has_attr("checked") else None
        elif field.get("type") == "file":
            value = None
        else:
            value = field.get("value", "") if field.name == "input" else field.get_text()
        if value is not None:
            sent.setdefault(field["name"], []).append(value)
    return sent
