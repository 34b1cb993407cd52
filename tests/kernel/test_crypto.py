"""Secrets of people are sealed at rest and can still be found."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from kernel.crypto import Sealed, keyed_hash, seal, unseal


@given(st.text())
def test_what_is_sealed_comes_back(text):
    if "\ud800" <= max(text, default="a") <= "\udfff":
        return
    assert unseal(seal(text)) == text


def test_the_same_text_is_never_sealed_the_same():
    assert seal("张三") != seal("张三")
    assert "张三".encode() not in seal("张三")


def test_a_changed_bit_is_found():
    sealed = bytearray(seal("张三"))
    sealed[-1] ^= 1

    with pytest.raises(InvalidTag):
        unseal(bytes(sealed))


def test_a_hash_finds_what_differs_in_case_and_spaces_only():
    assert keyed_hash(" 11010519491231002x ") == keyed_hash("11010519491231002X")
    assert keyed_hash("1") != keyed_hash("2")
    assert len(keyed_hash("1")) == 64


def test_a_hash_is_keyed(monkeypatch):
    from kernel import crypto

    before = keyed_hash("13812345678")
    monkeypatch.setitem(crypto._keys, "hash", b"another key")

    assert keyed_hash("13812345678") != before


def test_the_database_never_sees_a_sealed_text(db):
    table = sa.Table("sealed_here", sa.MetaData(), sa.Column("name", Sealed))
    with db.engine.begin() as connection:
        table.create(connection)
        connection.execute(sa.insert(table).values(name="张三丰"))
        kept = bytes(connection.exec_driver_sql("SELECT name FROM sealed_here").scalar_one())
        read = connection.scalar(sa.select(table.c.name))

    assert "张三丰".encode() not in kept
    assert unseal(kept) == read == "张三丰"
