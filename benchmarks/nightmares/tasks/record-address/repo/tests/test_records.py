import pytest

from record_anvil import Addressed, Customer, Employee, FieldError, Person, Store, Supplier, Tagged, UnknownRecord


def test_values_are_checked():
    with pytest.raises(FieldError, match="role: 'pilot' is not one of clerk, driver, manager"):
        Employee(role="pilot")
    with pytest.raises(FieldError, match="number: '7' is not a whole number"):
        Customer(number="7")
    with pytest.raises(TypeError, match="Person has no field 'town'"):
        Person(town="York")


def test_text_is_tidied():
    assert Customer(town="  New \n York ").town == "New York"


def test_employee_goes_into_the_store_and_back():
    store = Store()
    store.save(Employee(number=3, name="Ann", role="driver"))
    ann = store.load(Employee, 3)
    assert (ann.name, ann.role, ann.email) == ("Ann", "driver", None)
    assert store.numbers(Employee) == [3]


def test_only_changes_are_written():
    store = Store()
    store.save(Employee(number=3, name="Ann"))
    ann = store.load(Employee, 3)
    ann.email = "ann@mill"
    assert store.save(ann) == ["email"]
    assert store.save(ann) == []
    assert store.journal[1:] == ["Employee 3: email"]


def test_address_of_a_customer():
    store = Store()
    store.save(Customer(number=7, name="Ann", town="York"))
    assert store.load(Customer, 7).town == "York"


def test_label():
    assert Addressed(street="Mill Lane 1", town="York").label == "Mill Lane 1, York, GB"


def test_required_fields():
    with pytest.raises(FieldError, match="name: a value is required"):
        Store().save(Customer(number=1))
    with pytest.raises(FieldError, match="company: a value is required"):
        Store().save(Supplier(number=1))


def test_tags_belong_to_one_record():
    first, second = Tagged(), Tagged()
    first.tag("new", "new", "big")
    assert (first.tags, second.tags) == (["new", "big"], [])


def test_unknown_record():
    with pytest.raises(UnknownRecord, match="no Customer 9"):
        Store().load(Customer, 9)
