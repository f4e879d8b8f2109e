"""Sealed columns: encrypted values, bound to their column, found by a blind index."""

import base64
import json
import uuid

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from enrollment.ground import vault
from enrollment.ground.accounts import Account
from tests.support.keys import KEYS

ROW = uuid.UUID(int=1)


@given(st.text())
def test_seal_and_unseal(words):
    assert vault.unseal(vault.seal(words, "child.name", ROW), "child.name", ROW) == words


def test_the_same_text_is_sealed_differently_each_time():
    assert vault.seal("李沐晨", "child.name", ROW) != vault.seal("李沐晨", "child.name", ROW)


def test_a_value_cannot_be_unsealed_in_another_column_or_row():
    with pytest.raises(InvalidTag):
        vault.unseal(vault.seal("李沐晨", "child.name", ROW), "guardian.name", ROW)
    with pytest.raises(InvalidTag):
        vault.unseal(vault.seal("李沐晨", "child.name", ROW), "child.name", uuid.UUID(int=2))


def test_a_changed_value_cannot_be_unsealed():
    sealed = bytearray(vault.seal("李沐晨", "child.name", ROW))
    sealed[-1] ^= 1
    with pytest.raises(InvalidTag):
        vault.unseal(bytes(sealed), "child.name", ROW)


def test_values_of_an_older_key_can_be_unsealed():
    old = vault.seal("李沐晨", "child.name", ROW)
    newer = vault.Keys({**KEYS.sealing, "k9": b"9" * 32}, "k9", KEYS.index)
    vault.unlock(newer)
    try:
        assert vault.unseal(old, "child.name", ROW) == "李沐晨"
        fresh = vault.seal("李沐晨", "child.name", ROW)
    finally:
        vault.unlock(KEYS)
    with pytest.raises(vault.VaultError, match="k9"):
        vault.unseal(fresh, "child.name", ROW)


def test_the_index_ignores_width_and_spaces():
    assert vault.blind_index("５１０１ 04x", "id") == vault.blind_index("510104X", "id")
    assert vault.blind_index("510104X", "id") != vault.blind_index("510104X", "phone")


def test_the_table_holds_no_readable_name(session, now):
    session.add(Account(login="someone", name="李沐晨", password_hash="!", created_at=now))
    session.flush()
    stored = session.execute(text("SELECT name FROM account WHERE login = 'someone'")).scalar_one()
    assert "李沐晨".encode() not in bytes(stored)


def test_a_new_key_file_is_private_and_never_replaced(tmp_path):
    path = tmp_path / "keys.json"
    vault.Keys.write_new(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert vault.Keys.from_file(path).current == "k1"
    with pytest.raises(FileExistsError):
        vault.Keys.write_new(path)


@pytest.mark.parametrize(
    "content",
    ["", "{}", json.dumps({"current": "k", "sealing": {"k": base64.b64encode(b"short").decode()}, "index": ""})],
)
def test_a_key_file_that_is_not_one_is_refused(tmp_path, content):
    path = tmp_path / "keys.json"
    path.write_text(content)
    with pytest.raises(vault.VaultError):
        vault.Keys.from_file(path)


def test_masking_leaves_the_ends():
    assert vault.mask("510104202303121234", keep_start=4) == "5101**********1234"
    for number in ("C4TX98KL2", "H12345678", "P510123456", "E1234567"):  # passport, permit, birth certificate
        shown = vault.mask(number, keep_start=4)
        assert len(shown) == len(number) and len(shown.replace("*", "")) <= len(number) // 2
    assert vault.mask("C4TX98KL2", keep_start=4) == "C4*****L2"
    assert vault.mask("", 1) == ""
    assert "晨" not in vault.mask("李沐晨", keep_start=1, keep_end=0)
