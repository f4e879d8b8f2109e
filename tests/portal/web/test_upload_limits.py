"""FAM28: the limit said is the limit kept, by the words of the page, by the browser's check and by the server."""

import http.client
import io
import json
import re
import threading
from pathlib import Path

import pytest
from PIL import Image
from werkzeug.serving import make_server

from enrollment.ground.errors import Refused
from enrollment.ground.files.upload_limits import LIMITS, MOST_AT_ONCE
from enrollment.ground.files.uploads import sanitise_upload
from portal.web.upload_fields import AROUND_FILES, LARGEST_FORM
from tests.portal.parents.desk import errors, filled, page, value_of
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in

ROOT = Path(__file__).parents[3]
FIELD = re.compile(r"\b(FileField|MultipleFileField)\b")


@prepared
def pages_with_files(client, town):
    """(who signs in, address, kinds): every page of the portal that takes a file."""
    garden = town.kindergarten("金苹果", places=2)
    town.open_registration()
    draft = town.child("安娜", wishes=[garden], submit=False)
    handed_in = town.child("本本", wishes=[garden])
    official, clerk = town.city_official().account_id, town.clerk_of(garden).account_id
    return [
        (draft.entered_by, f"/parents/applications/{draft.id}/evidence", ("photo", "pdf")),
        (draft.entered_by, f"/parents/applications/{draft.id}/guardians/add", ("photo", "pdf")),
        (draft.entered_by, f"/parents/applications/{draft.id}/guardians/remove", ("photo", "pdf")),
        (draft.entered_by, f"/parents/applications/{draft.id}/corrections/new?kind=name", ("photo", "pdf")),
        (clerk, f"/staff/applications/{handed_in.id}/corrections/new?kind=name", ("photo", "pdf")),
        (official, f"/officials/2026/applications/{handed_in.id}/corrections/new?kind=name", ("photo", "pdf")),
        (town.helper("小杨", "helper1").account_id, "/helpers/new/paper", ("photo", "pdf")),
        (official, "/officials/2026/imports", ("table",)),
        (official, "/officials/2026/policies/510104/new", ("rules",)),
    ]


def test_fam28_page_and_browser_say_the_servers_limit(client, pages_with_files):
    assert len(pages_with_files) == 9
    for who, address, kinds in pages_with_files:
        sign_in(client, who)
        field = page(client.get(address)).select_one("input[type=file][data-limits]")
        assert json.loads(field["data-limits"]) == {kind: LIMITS[kind].largest for kind in kinds}
        assert field["data-most-at-once"] == str(MOST_AT_ONCE.largest)
        hint = page(client.get(address)).select_one(f"#{field['id']}-hint").get_text()
        for kind in kinds:
            assert LIMITS[kind].words in hint


def test_fam28_no_page_has_a_file_field_of_its_own():
    """A field beside `upload_fields` would say one limit and keep another."""
    for path in (ROOT / "portal").rglob("*.py"):
        if path.name not in ("upload_fields.py", "form_echo.py"):
            assert not FIELD.search(path.read_text()), path
    for path in (ROOT / "templates").rglob("*.html"):
        # the file of verify_draw is never uploaded; the camera of paper_parts has the limits of the field beside it
        if path.name not in ("verify_draw.html", "paper_parts.html"):
            assert 'type="file"' not in path.read_text(), path


def test_fam28_the_camera_has_the_limits_of_the_field_beside_it(client, pages_with_files):
    who, address, _ = pages_with_files[0]
    sign_in(client, who)
    shown = page(client.get(address))
    assert (
        shown.select_one("#papers")["data-limits"] == shown.select_one("input[type=file][data-limits]")["data-limits"]
    )
    assert shown.select("input[type=file][data-shoot]")


@pytest.mark.parametrize(("start", "kind"), [(b"\xff\xd8\xff\xe0", "photo"), (b"%PDF-1.7\n", "pdf")])
def test_fam28_a_byte_more_than_the_limit_is_refused_for_its_size(start, kind):
    largest = LIMITS[kind].largest
    with pytest.raises(Refused) as exactly:
        sanitise_upload(start + bytes(largest - len(start)))
    assert exactly.value.code != "file_too_large"
    with pytest.raises(Refused) as above:
        sanitise_upload(start + bytes(largest + 1 - len(start)))
    assert above.value.code == "file_too_large"
    assert above.value.details == {"size": LIMITS[kind].megabytes + 1, "most": LIMITS[kind].megabytes}


def test_fam28_a_request_that_is_too_large_loses_no_other_answer(client, town):
    town.kindergarten("金苹果", places=2)
    town.open_registration()
    helper = town.helper("小杨", "helper1")
    sign_in(client, helper.account_id)
    said = hidden_fields(client.get("/helpers/new/paper").text)
    said |= {"name": "李建国", "phone": "13811112222", "signed_on": "2026-05-21", "agreed": "y"}
    body = "".join(
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in said.items()
    )
    body += '--edge\r\nContent-Disposition: form-data; name="paper"; filename="a.jpg"\r\n\r\n'
    content = body.encode() + bytes(LIMITS["photo"].largest + AROUND_FILES)
    answer = client.post("/helpers/new/paper", data=content, content_type="multipart/form-data; boundary=edge")
    assert answer.status_code == 413
    assert "照片不超过 20 MB" in answer.text
    (back,) = [
        link["href"]
        for link in page(answer).select("main a.btn, main a.govuk-button, main a")
        if "回到刚才" in link.text
    ]
    again = client.get(back)
    assert value_of(again, "name") == "李建国"
    assert value_of(again, "phone") == "13811112222"
    assert page(again).select_one("[name=agreed]").has_attr("checked")


TYPED = {"text": "安娜", "textarea": "名字写错了一个字", "tel": "13811112222", "date": "2026-05-21"}


def _typed(form) -> list[tuple[str, str]]:
    """What somebody enters in each field of a form, in the order in which a browser sends it; "" stands for the file."""
    sent = []
    for field in form.select("input[name], select[name], textarea[name]"):
        kind = field.get("type", "text") if field.name == "input" else field.name
        if kind == "hidden":
            sent.append((field["name"], field.get("value", "")))
        elif kind == "file":
            sent.append((field["name"], ""))
        elif kind in ("radio", "checkbox"):
            if (field["name"], field.get("value", "y")) not in sent and field["name"] not in dict(sent):
                sent.append((field["name"], field.get("value", "y")))
        elif field.name == "select":
            sent.append((field["name"], field.select("option")[-1]["value"]))
        else:
            sent.append((field["name"], TYPED[kind]))
    return sent


def _posted(client, address, sent, content: bytes):
    body = b""
    for name, text in sent:
        head = f'--edge\r\nContent-Disposition: form-data; name="{name}"'
        if text or name not in ("pages", "paper", "file"):
            body += f"{head}\r\n\r\n{text}\r\n".encode()
        else:
            body += f'{head}; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'.encode() + content + b"\r\n"
    return client.post(address, data=body + b"--edge--\r\n", content_type="multipart/form-data; boundary=edge")


def _photo(size: int) -> bytes:
    photo = io.BytesIO()
    Image.new("RGB", (400, 300), "white").save(photo, "JPEG")
    return photo.getvalue() + bytes(size - len(photo.getvalue()))


def test_fam28_every_page_with_a_file_takes_a_phones_photo_and_a_too_large_one_loses_no_answer(
    client, pages_with_files
):
    for who, address, kinds in pages_with_files:
        sign_in(client, who)
        (form,) = page(client.get(address)).select("form:has(input[type=file])")[:1]
        sent = _typed(form)
        assert not sent[-1][1], (address, "what stands behind the file of a too large request is not read")
        if kinds != ("rules",):
            assert _posted(client, address, sent, _photo(6_000_000)).status_code in (200, 303), address
        sign_in(client, who)
        (form,) = page(client.get(address)).select("form:has(input[type=file])")[:1]
        sent = _typed(form)
        answer = _posted(client, address, sent, bytes(MOST_AT_ONCE.largest + AROUND_FILES))
        assert answer.status_code == 413
        (back,) = [link["href"] for link in page(answer).select("main a") if "回到刚才" in link.text]
        assert back == address, "with its query"
        again = filled(client.get(back), "form:has(input[type=file])")
        unsent = ("csrf_token", "idempotency_key", "version", "")
        wanted = {name: [text] for name, text in sent if text and name not in unsent}
        held = {name: [text.removeprefix("\n") for text in again.get(name, [])] for name in wanted}
        assert held == wanted, address


def test_fam28_a_form_without_files_takes_no_large_body(client, town):
    family = town.family("李")
    sign_in(client, family.account)
    answer = client.post(
        "/parents/consent", data=b"a=" + b"b" * LARGEST_FORM, content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 413


def test_fam28_a_file_that_came_without_the_browsers_check_is_told_beside_its_field(client, town):
    town.kindergarten("金苹果", places=2)
    town.open_registration()
    helper = town.helper("小杨", "helper1")
    sign_in(client, helper.account_id)
    paper = (io.BytesIO(b"\xff\xd8\xff\xe0" + bytes(21_000_000)), "a.jpg")
    answer = fill_in(
        client,
        "/helpers/new/paper",
        name="李建国",
        phone="13811112222",
        signed_on="2026-05-21",
        agreed="y",
        paper=paper,
    )
    assert "这个文件有 21 MB，最大 20 MB" in errors(answer)["paper"]
    assert value_of(answer, "name") == "李建国"


def test_fam28_over_a_real_connection_the_answer_arrives_and_keeps_the_other_fields(client, town, app):
    """A server that closed the connection under a browser that still sends would show no page at all."""
    town.kindergarten("金苹果", places=2)
    town.open_registration()
    helper = town.helper("小杨", "helper1")
    sign_in(client, helper.account_id)
    cookie = f"session={client.get_cookie('session').value}"
    server = make_server("localhost", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        browser = http.client.HTTPConnection("localhost", server.server_port, timeout=30)
        head = '--edge\r\nContent-Disposition: form-data; name="name"\r\n\r\n李建国\r\n--edge\r\n'
        head += 'Content-Disposition: form-data; name="paper"; filename="a.jpg"\r\n\r\n'
        content = head.encode() + bytes(LIMITS["photo"].largest + AROUND_FILES)
        headers = {"Content-Type": "multipart/form-data; boundary=edge", "Cookie": cookie}
        browser.request("POST", "/helpers/new/paper", content, headers)
        answer = browser.getresponse()
        assert answer.status == 413
        assert "回到刚才的页面" in answer.read().decode()
        browser.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert value_of(client.get("/helpers/new/paper"), "name") == "李建国"
