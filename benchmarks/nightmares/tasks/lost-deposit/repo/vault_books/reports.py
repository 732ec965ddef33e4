"""Looking into the books."""

from __future__ import annotations

from .store import Store

PREFIX = "account/"


def balances(store: Store) -> dict[str, int]:
    """Cents by owner."""
    return {key[len(PREFIX):]: store.read(key)[1]["balance"] for key in store.keys(PREFIX)}


def statement(store: Store, owner: str) -> list[str]:
    """The entries of an account and its balance."""
    _, account = store.read(PREFIX + owner)
    rows = [f"{text} {amount:+d}" for text, amount in account["entries"]]
    return [*rows, f"balance {account['balance']}"]
