"""The full file: asked for and granted on the officials' page, fetched by a recipient who has no account."""

import io
import zipfile

from enrollment.results import full_files
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, shown_code, sign_in


@prepared
def run(town, frozen_clock):
    garden = town.kindergarten("锦官园", places=1)
    for name in ("安娜", "本本"):
        town.child(name, wishes=[garden])
    run = town.drawn()
    frozen_clock.set(town.now)
    return run


def test_two_officials_grant_it_and_the_recipient_fetches_it(client, another_client, town, run):
    first, second = town.city_pair()
    address = f"/officials/2026/draws/runs/{run.id}/full-file"
    sign_in(client, first.account_id)
    assert address in client.get(f"/officials/2026/draws/runs/{run.id}").text
    assert "请写明接收人的姓名和单位" in fill_in(client, address, kind="notary", recipient="", reason="核验").text
    assert fill_in(client, address, kind="notary", recipient="王敏，公证处", reason="核验").status_code == 303
    page = client.get(address).text
    assert "还需要另一位工作人员同意" in page and "王敏，公证处" in page and "同意给这位接收人" not in page
    [summary] = full_files.of_run(town.session, run.id, now=town.now)
    grant = f"{address}/{summary.grant.id}"
    own = client.post(f"{grant}/approve", data=hidden_fields(page, f"{grant}/revoke"))
    assert "您已经签署过了" in own.text
    sign_in(client, second.account_id)
    assert "Grant it to this recipient" in client.get(f"{address}?lang=en").text
    client.get(f"{address}?lang=zh")
    assert fill_in(client, address, f"{grant}/approve").status_code == 303
    shown = fill_in(client, address, f"{grant}/code").text
    code = shown_code(shown)
    link = f"/full-file/{summary.grant.id}"
    assert link in shown and code not in client.get(address).text

    recipient = another_client()
    assert "取件码不对" in fill_in(recipient, link, code="AAAA").text
    answer = fill_in(recipient, link, code=code)
    assert answer.mimetype == "application/zip" and "no-store" in answer.headers["Cache-Control"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert "issued.json" in archive.namelist() and "market/wishes.csv" in archive.namelist()
    assert "1 / 3" in client.get(address).text
    assert fill_in(client, address, f"{grant}/revoke").status_code == 303
    assert "已收回" in client.get(address).text
    assert "取件码不对" in fill_in(recipient, link, code=code).text


def test_nobody_learns_which_links_there_are(client, town, run):
    nowhere = f"/full-file/{town.the_round.id}"
    assert client.get(nowhere).status_code == 200
    assert "取件码不对" in fill_in(client, nowhere, code="CCCC-CCCC-CCCC").text


def test_a_grant_of_another_run_is_not_found(client, town, run):
    grant = full_files.ask(
        town.session, run.id, kind="auditor", recipient="审计局", reason="审计", by=town.city_pair()[0], now=town.now
    )
    sign_in(client, town.city_pair()[1].account_id)
    town.session.commit()
    address = f"/officials/2026/draws/runs/{run.id}/full-file"
    fields = hidden_fields(client.get(address).text, f"{address}/{grant.id}/approve")
    foreign = f"/officials/2026/draws/runs/{town.the_round.id}/full-file/{grant.id}/approve"
    assert client.post(foreign, data=fields).status_code == 404
