"""Declares web forms, checks what people send, and prints them with messages."""

from .fields import Choice, Field, Group, Number, Text
from .forms import Form, Outcome
from .html import render
from .report import Report
from .rules import Between, MaxLength, OneOf, Pattern, Required, Rule, SameAs

__all__ = [
    "Between",
    "Choice",
    "Field",
    "Form",
    "Group",
    "MaxLength",
    "Number",
    "OneOf",
    "Outcome",
    "Pattern",
    "Report",
    "Required",
    "Rule",
    "SameAs",
    "Text",
    "render",
]
