import pytest

from vault_books import AlreadyExists, Bank, Overdrawn, Store, balances, statement, transact


def make(**amounts):
    bank = Bank(Store())
    for owner, amount in amounts.items():
        bank.open(owner)
        bank.deposit(owner, amount, "start")
    return bank, Bank(bank.store)


def meanwhile(store, *actions):
    """One action before each of the next commits; what an action commits does not count."""
    waiting, busy = list(actions), []

    def hook(keys):
        if waiting and not busy:
            busy.append(1)
            waiting.pop(0)()
            busy.clear()

    store.before_commit.append(hook)


def test_entries_of_both_tills():
    bank, other = make(ann=1000)
    meanwhile(bank.store, lambda: other.withdraw("ann", 300, "cash"))
    assert bank.deposit("ann", 50, "salary") == 750
    assert statement(bank.store, "ann") == ["start +1000", "cash -300", "salary +50", "balance 750"]


def test_transfer_to_an_account_that_somebody_uses():
    bank, other = make(ann=1000, bob=10)
    meanwhile(bank.store, lambda: other.deposit("bob", 5))
    bank.transfer("ann", "bob", 400)
    assert balances(bank.store) == {"ann": 600, "bob": 415}


def test_transfer_from_an_account_that_somebody_uses():
    bank, other = make(ann=1000, bob=10)
    meanwhile(bank.store, lambda: other.transfer("ann", "bob", 100))
    bank.transfer("ann", "bob", 400)
    assert balances(bank.store) == {"ann": 500, "bob": 510}
    assert statement(bank.store, "bob") == ["start +10", "from ann +100", "from ann +400", "balance 510"]


def test_money_that_is_gone_meanwhile():
    bank, other = make(ann=1000)
    meanwhile(bank.store, lambda: other.withdraw("ann", 900))
    with pytest.raises(Overdrawn):
        bank.withdraw("ann", 400)
    assert balances(bank.store) == {"ann": 100}


def test_policy_that_changes_meanwhile():
    bank, other = make(ann=100, bob=1)
    bank.set_policy(overdraft=500, fee=1)
    meanwhile(bank.store, lambda: other.set_policy(fee=20))
    bank.transfer("ann", "bob", 200)
    assert balances(bank.store) == {"ann": -120, "bob": 201}


def test_three_conflicts_in_a_row():
    bank, other = make(ann=100)
    meanwhile(bank.store, *[lambda: other.deposit("ann", 7)] * 3)
    assert bank.withdraw("ann", 50) == 71
    assert len(statement(bank.store, "ann")) == 6


def test_work_of_somebody_else():
    store = Store()
    transact(store, lambda session: session.create("stock", {"cups": 5, "sold": []}))

    def sell(name):
        def work(session):
            stock = session.edit("stock")
            stock["cups"] -= 1
            stock["sold"].append(name)
            return stock["cups"]

        return lambda: transact(store, work)

    meanwhile(store, sell("bob"))
    assert sell("ann")() == 3
    assert store.read("stock")[1] == {"cups": 3, "sold": ["bob", "ann"]}


def test_same_account_opened_at_two_tills():
    bank, other = make(bob=1)
    meanwhile(bank.store, lambda: other.open("ann"))
    with pytest.raises(AlreadyExists):
        bank.open("ann")
    assert balances(bank.store) == {"ann": 0, "bob": 1}
