import pytest

from record_anvil import Choice, Customer, Employee, FieldError, Number, Record, Store, Supplier, Text


def test_customer_and_supplier_are_stored_whole():
    store = Store()
    store.save(Customer(number=7, name="Ann", street="Mill Lane 1", town="York", credit=5))
    store.save(Supplier(number=7, company="Cups & Co", town="Cork", country="IE", tags=["cups"]))
    assert store.load(Customer, 7).label == "Mill Lane 1, York, GB"
    assert store.load(Supplier, 7).label == "Cork, IE"
    assert store.load(Supplier, 7).tags == ["cups"]


def test_change_of_address_is_journalled():
    store = Store()
    store.save(Customer(number=7, name="Ann", town="York"))
    ann = store.load(Customer, 7)
    ann.town, ann.country = "Lille", "FR"
    assert store.save(ann) == ["country", "town"]
    assert store.journal[-1] == "Customer 7: country, town"


def test_customers_at_different_addresses_are_different():
    york, cork = Customer(number=1, name="Ann", town="York"), Customer(number=1, name="Ann", town="Cork")
    assert (york == cork) is False
    assert (york == Customer(number=1, name="Ann", town="York")) is True


def test_required_field_of_the_second_base():
    class Dated(Record):
        due = Text(required=True)

    class Task(Record):
        number = Number()

    class DatedTask(Task, Dated):
        pass

    with pytest.raises(FieldError, match="due: a value is required"):
        Store().save(DatedTask(number=1))
    assert sorted(DatedTask.fields()) == ["due", "number"]


def test_first_base_wins():
    class Ranked(Record):
        rank = Number(default=1)

    class Titled(Record):
        rank = Text(default="none")
        title = Text()

    class Officer(Ranked, Titled):
        number = Number()

    store = Store()
    store.save(Officer(number=1, rank=3, title="Captain"))
    loaded = store.load(Officer, 1)
    assert (loaded.rank, loaded.title) == (3, "Captain")
    assert loaded.to_dict() == {"rank": "3", "title": "Captain", "number": "1"}


def test_override_behind_a_common_base():
    class Noted(Record):
        level = Number(default=0)

    class Plain(Noted):
        note = Text()

    class Levelled(Noted):
        level = Choice("low", "high")

    class Entry(Plain, Levelled):
        number = Number()

    store = Store()
    store.save(Entry(number=1, level="high", note="x"))
    assert store.load(Entry, 1).level == "high"
    assert Entry(number=2).to_dict() == {"level": "low", "note": None, "number": "2"}


def test_hidden_field_is_no_field():
    class Anonymous(Employee):
        @property
        def email(self):
            return "office@mill"

    assert sorted(Anonymous.fields()) == ["name", "number", "role"]
    assert Anonymous(number=4, name="A").to_dict() == {"name": "A", "number": "4", "role": "clerk"}


def test_bases_keep_their_fields():
    assert sorted(Customer.__mro__[1].fields()) == ["email", "name"]
    assert sorted(Record.fields()) == []
