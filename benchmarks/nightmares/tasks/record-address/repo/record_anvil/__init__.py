from .fields import Choice, Field, FieldError, ListOf, Number, Text
from .models import Addressed, Customer, Employee, Person, Supplier, Tagged
from .records import Record
from .store import Store, UnknownRecord

__all__ = [
    "Addressed",
    "Choice",
    "Customer",
    "Employee",
    "Field",
    "FieldError",
    "ListOf",
    "Number",
    "Person",
    "Record",
    "Store",
    "Supplier",
    "Tagged",
    "Text",
    "UnknownRecord",
]
