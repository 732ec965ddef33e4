import pytest

from vault_books import AlreadyExists, Bank, BankError, GaveUp, Overdrawn, Store, balances, statement


@pytest.fixture
def bank():
    bank = Bank(Store())
    bank.open("ann")
    bank.open("bob")
    return bank


def meanwhile(store, action):
    """Let something happen once, between the work of the next commit and the commit."""
    waiting = [action]

    def hook(keys):
        if waiting:
            waiting.pop()()

    store.before_commit.append(hook)


def test_deposit_and_withdraw(bank):
    assert bank.deposit("ann", 500) == 500
    assert bank.withdraw("ann", 200) == 300
    assert statement(bank.store, "ann") == ["deposit +500", "withdrawal -200", "balance 300"]


def test_transfer(bank):
    bank.deposit("ann", 500)
    bank.set_policy(fee=5)
    bank.transfer("ann", "bob", 100)
    assert balances(bank.store) == {"ann": 395, "bob": 100}


def test_overdrawn(bank):
    with pytest.raises(Overdrawn, match="ann cannot pay 1"):
        bank.withdraw("ann", 1)
    bank.set_policy(overdraft=100)
    assert bank.withdraw("ann", 100) == -100


def test_two_tills_one_after_the_other(bank):
    bank.deposit("ann", 100)
    Bank(bank.store).deposit("ann", 30)
    assert balances(bank.store)["ann"] == 130


def test_two_tills_at_the_same_time(bank):
    other = Bank(bank.store)
    meanwhile(bank.store, lambda: other.deposit("ann", 30))
    bank.deposit("ann", 100)
    assert balances(bank.store)["ann"] == 130


def test_other_account_is_no_conflict(bank):
    other = Bank(bank.store)
    meanwhile(bank.store, lambda: other.deposit("bob", 30))
    bank.deposit("ann", 100)
    assert balances(bank.store) == {"ann": 100, "bob": 30}


def test_giving_up(bank):
    other = Bank(bank.store)
    busy = []

    def hook(keys):
        if not busy:
            busy.append(1)
            other.deposit("ann", 1)
            busy.clear()

    bank.store.before_commit.append(hook)
    with pytest.raises(GaveUp, match="after 5 attempts"):
        bank.deposit("ann", 100)
    assert balances(bank.store)["ann"] == 5


def test_mistakes(bank):
    with pytest.raises(AlreadyExists):
        bank.open("ann")
    with pytest.raises(BankError, match="positive"):
        bank.deposit("ann", -1)
    with pytest.raises(BankError, match="the same"):
        bank.transfer("ann", "ann", 1)
