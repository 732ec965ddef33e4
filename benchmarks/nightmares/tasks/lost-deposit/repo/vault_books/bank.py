"""What a till can do."""

from __future__ import annotations

from .session import Session
from .store import Store
from .work import transact

POLICY = "policy"


class BankError(ValueError):
    """Something that the bank does not do."""


class Overdrawn(BankError):
    """There is not enough money in the account."""


class Bank:
    """One till. Several tills may share a store. Amounts are cents."""

    def __init__(self, store: Store, attempts: int = 5) -> None:
        self.store = store
        self.attempts = attempts
        if not store.version(POLICY):
            transact(store, lambda session: session.create(POLICY, {"overdraft": 0, "fee": 0}))

    def open(self, owner: str) -> None:
        self._run(lambda session: session.create(_key(owner), {"balance": 0, "entries": []}))

    def deposit(self, owner: str, amount: int, text: str = "deposit") -> int:
        """Returns the new balance."""
        return self._run(lambda session: _book(session, owner, _positive(amount), text))

    def withdraw(self, owner: str, amount: int, text: str = "withdrawal") -> int:
        """Returns the new balance.

        Raises Overdrawn if that would be below the overdraft that the policy allows.
        """
        return self._run(lambda session: _take(session, owner, _positive(amount), text))

    def transfer(self, payer: str, payee: str, amount: int) -> None:
        """Move money; the payer pays the fee of the policy on top."""
        if payer == payee:
            raise BankError("payer and payee are the same")

        def work(session: Session) -> None:
            fee = session.get(POLICY)["fee"]
            _take(session, payer, _positive(amount) + fee, f"to {payee}")
            _book(session, payee, amount, f"from {payer}")

        self._run(work)

    def set_policy(self, **settings: int) -> None:
        self._run(lambda session: session.edit(POLICY).update(settings))

    def _run(self, work):  # type: ignore[no-untyped-def]
        return transact(self.store, work, self.attempts)


def _key(owner: str) -> str:
    return f"account/{owner}"


def _positive(amount: int) -> int:
    if amount <= 0:
        raise BankError("an amount must be positive")
    return amount


def _take(session: Session, owner: str, amount: int, text: str) -> int:
    lowest = -session.get(POLICY)["overdraft"]
    if session.get(_key(owner))["balance"] - amount < lowest:
        raise Overdrawn(f"{owner} cannot pay {amount}")
    return _book(session, owner, -amount, text)


def _book(session: Session, owner: str, amount: int, text: str) -> int:
    account = session.edit(_key(owner))
    account["balance"] += amount
    account["entries"].append([text, amount])
    return int(account["balance"])
