from datetime import date

from ledgerbrook import Journal, Window, day, month, monthly, render, statement, week


def journal_of(rows, segment_size):
    journal = Journal(segment_size)
    for when, amount in rows:
        journal.append(when, amount, f"{when:%d%m}/{amount}")
    return journal


BUSY = [
    (date(2024, 6, 29), 100),
    (date(2024, 6, 30), 200),
    *[(date(2024, 7, 1), 10 * number) for number in range(1, 8)],
    (date(2024, 7, 2), 5),
    (date(2024, 8, 1), 7),
]


def test_a_day_that_fills_several_segments():
    journal = journal_of(BUSY, segment_size=3)
    monday = statement(journal, day(date(2024, 7, 1)))
    assert monday.opening == 300
    assert [entry.amount for entry in monday.entries] == [10, 20, 30, 40, 50, 60, 70]
    assert monday.closing == 580


def test_no_segment_size_makes_a_difference():
    for segment_size in range(1, 13):
        july = statement(journal_of(BUSY, segment_size), month(2024, 7))
        assert (july.opening, len(july.entries), july.closing) == (300, 8, 585), segment_size


def test_a_week_that_starts_in_the_middle_of_a_segment():
    busy_week = statement(journal_of(BUSY, segment_size=4), week(date(2024, 7, 3)))
    assert [entry.number for entry in busy_week.entries] == [3, 4, 5, 6, 7, 8, 9, 10]
    assert list(busy_week.running())[0][1] == 310


def test_balance_before_a_day_in_single_entry_segments():
    journal = journal_of(BUSY, segment_size=1)
    assert journal.balance_before(date(2024, 7, 1)) == 300
    assert journal.balance_before(date(2024, 7, 2)) == 580
    assert journal.balance_before(date(2024, 6, 29)) == 0


def test_a_journal_that_is_one_single_day():
    journal = journal_of([(date(2024, 7, 1), 50)] * 5, segment_size=2)
    whole = statement(journal, day(date(2024, 7, 1)))
    assert (whole.opening, len(whole.entries), whole.closing) == (0, 5, 250)
    assert journal.balance_before(date(2024, 7, 2)) == 250


def test_monthly_statements_join_and_hold_every_entry():
    year = monthly(journal_of(BUSY, segment_size=5), Window(date(2024, 6, 1), date(2024, 9, 1)))
    assert [(each.opening, each.closing) for each in year] == [(0, 300), (300, 585), (585, 592)]
    assert sum(len(each.entries) for each in year) == 11


def test_rendered_page_begins_with_the_first_entry_of_the_window():
    page = render(statement(journal_of(BUSY, segment_size=4), month(2024, 7)))[0].splitlines()
    assert page[1].split() == ["opening", "balance", "3.00"]
    assert page[2].split() == ["01.07.", "0107/10", "0.10"]
    assert len(page) == 11


def test_empty_journal():
    nothing = statement(Journal(), month(2024, 7))
    assert (nothing.opening, nothing.entries, nothing.closing) == (0, (), 0)
