from datetime import date

import pytest

from ledgerbrook import (
    Journal,
    OutOfOrder,
    Window,
    month,
    months,
    paginate,
    render,
    statement,
    week,
)

WINTER = [
    (date(2024, 1, 3), 200000, "salary"),
    (date(2024, 1, 5), -70000, "rent"),
    (date(2024, 1, 31), -1250, "books"),
    (date(2024, 2, 1), -4500, "power"),
    (date(2024, 2, 1), -3000, "water"),
    (date(2024, 2, 2), 200000, "salary"),
    (date(2024, 2, 29), -990, "coffee"),
    (date(2024, 3, 1), -70000, "rent"),
]


def journal_of(rows, segment_size=64):
    journal = Journal(segment_size)
    for day, amount, text in rows:
        journal.append(day, amount, text)
    return journal


def test_entries_are_numbered_and_in_order():
    journal = journal_of(WINTER, segment_size=3)
    assert [entry.number for entry in journal] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert journal.balance == 250260
    with pytest.raises(OutOfOrder):
        journal.append(date(2024, 2, 29), 100, "late")


def test_windows():
    assert month(2023, 12) == Window(date(2023, 12, 1), date(2024, 1, 1))
    assert week(date(2024, 2, 29)) == Window(date(2024, 2, 26), date(2024, 3, 4))
    assert [window.days for window in months(date(2023, 12, 31), date(2024, 3, 1))] == [31, 31, 29]


def test_statement_of_a_month():
    february = statement(journal_of(WINTER), month(2024, 2))
    assert february.opening == 128750
    assert [entry.text for entry in february.entries] == ["power", "water", "salary", "coffee"]
    assert (february.paid_in, february.paid_out, february.closing) == (200000, 8490, 320260)


def test_statement_in_the_middle_of_a_journal_with_many_segments():
    window = Window(date(2024, 1, 4), date(2024, 2, 2))
    middle = statement(journal_of(WINTER, segment_size=2), window)
    assert middle.opening == 200000
    assert [entry.text for entry in middle.entries] == ["rent", "books", "power", "water"]


def test_statement_of_an_empty_window():
    empty = statement(journal_of(WINTER, segment_size=2), month(2024, 5))
    assert (empty.opening, empty.entries, empty.closing) == (250260, (), 250260)


def test_a_month_opens_with_the_balance_that_the_last_one_closed_with():
    journal = journal_of(WINTER, segment_size=4)
    january, february = (statement(journal, month(2024, number)) for number in (1, 2))
    assert january.closing == 128750
    assert february.opening == 128750


def test_pages_carry_the_balance():
    pages = render(statement(journal_of(WINTER), month(2024, 1)), page_size=2)
    assert [len(page.splitlines()) for page in pages] == [5, 4]
    assert pages[0].splitlines()[-1].split() == ["carry", "over", "1,300.00"]
    assert pages[1].splitlines()[1].split() == ["carried", "over", "1,300.00"]


def test_paginate():
    assert list(paginate([], 3)) == [[]]
    assert list(paginate([1, 2, 3, 4], 2)) == [[1, 2], [3, 4]]
