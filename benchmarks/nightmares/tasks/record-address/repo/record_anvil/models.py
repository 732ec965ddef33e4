"""The records of our trading company."""

from .fields import Choice, ListOf, Number, Text
from .records import Record


class Tagged(Record):
    tags = ListOf()

    def tag(self, *tags: str) -> None:
        self.tags.extend(tag for tag in tags if tag not in self.tags)


class Addressed(Record):
    street = Text()
    town = Text()
    country = Choice("GB", "IE", "FR")

    @property
    def label(self) -> str:
        return ", ".join(part for part in (self.street, self.town, self.country) if part)


class Person(Record):
    name = Text(required=True)
    email = Text()


class Employee(Person):
    number = Number(required=True)
    role = Choice("clerk", "driver", "manager")


class Customer(Person, Addressed):
    number = Number(required=True)
    credit = Number(default=0)


class Supplier(Tagged, Addressed):
    number = Number(required=True)
    company = Text(required=True, longest=40)
