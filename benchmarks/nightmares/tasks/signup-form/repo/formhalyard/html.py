"""Forms as HTML."""

from __future__ import annotations

from html import escape
from typing import Iterable, Mapping

from .fields import Choice, Field, Group
from .forms import Form
from .report import Report


def render(form: Form, data: Mapping[str, str] | None = None, report: Report | None = None) -> str:
    """The form, filled with what was sent, with the messages of a report beside the fields."""
    shown = report if report is not None else Report()
    lines = [f'<form id="{escape(form.name)}" method="post">']
    lines += _fields(form.fields, "", data or {}, shown.messages)
    lines.append("</form>")
    return "\n".join(lines)


def _fields(
    fields: Iterable[Field], path: str, data: Mapping[str, str], messages: dict[str, list[str]]
) -> list[str]:
    lines = []
    for field in fields:
        if isinstance(field, Group):
            lines.append(f"<fieldset><legend>{escape(field.label)}</legend>")
            lines += _fields(field.fields, f"{path}{field.name}.", data, messages)
            lines.append("</fieldset>")
            continue
        full = path + field.name
        star = " *" if field.required else ""
        lines.append(f"<label>{escape(field.label)}{star} {_input(field, full, data)}</label>")
        lines += [f'<em class="wrong">{escape(each)}</em>' for each in messages.get(full, ())]
    return lines


def _input(field: Field, path: str, data: Mapping[str, str]) -> str:
    value = data.get(path, "")
    if isinstance(field, Choice):
        options = "".join(
            f"<option{' selected' if choice == value else ''}>{escape(choice)}</option>"
            for choice in field.choices
        )
        return f'<select name="{path}">{options}</select>'
    return f'<input name="{path}" value="{escape(value)}">'
