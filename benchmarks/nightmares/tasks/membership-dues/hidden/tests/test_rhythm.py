import json
from datetime import date

from dues_almanac import MONTHLY, QUARTERLY, YEARLY, Club


def days(charges):
    return [charge.start.isoformat() for charge in charges]


def test_thirtieth():
    club = Club()
    club.join("Ada", MONTHLY, date(2022, 12, 30))
    assert days(club.collect(date(2023, 5, 1))) == [
        "2022-12-30",
        "2023-01-30",
        "2023-02-28",
        "2023-03-30",
        "2023-04-30",
    ]


def test_twenty_eighth_stays_the_twenty_eighth():
    club = Club()
    club.join("Ada", MONTHLY, date(2023, 2, 28))
    club.join("Bob", QUARTERLY, date(2023, 11, 30))
    dues = [(day.isoformat(), name) for day, name, _ in club.forecast(date(2024, 5, 31))][-7:]
    assert dues == [
        ("2024-01-28", "Ada"),
        ("2024-02-28", "Ada"),
        ("2024-02-29", "Bob"),
        ("2024-03-28", "Ada"),
        ("2024-04-28", "Ada"),
        ("2024-05-28", "Ada"),
        ("2024-05-30", "Bob"),
    ]


def test_leap_day():
    club = Club()
    club.join("Ada", YEARLY, date(2096, 2, 29))
    assert days(club.collect(date(2104, 12, 31))) == [
        "2096-02-29",
        "2097-02-28",
        "2098-02-28",
        "2099-02-28",
        "2100-02-28",
        "2101-02-28",
        "2102-02-28",
        "2103-02-28",
        "2104-02-29",
    ]


def test_one_run_a_day_charges_the_same_as_one_run():
    club = Club()
    club.join("Ada", MONTHLY, date(2023, 10, 17), trial_days=14)
    charged = []
    for today in (date(2023, 10, 31), date(2023, 11, 30), date(2023, 12, 30), date(2023, 12, 31), date(2024, 2, 1)):
        charged.append(days(club.collect(today)))
        club = Club.load(club.save())
    assert charged == [["2023-10-31"], ["2023-11-30"], [], ["2023-12-31"], ["2024-01-31"]]


def test_file_of_last_year():
    entry = {"name": "Ada", "cycle": "monthly", "first_due": "2022-08-31", "next_due": "2023-02-28", "left": None}
    club = Club.load(json.dumps([entry]))
    charges = club.collect(date(2023, 4, 1))
    assert [charge.text for charge in charges] == [
        "Ada: 28.02.2023 - 30.03.2023 12.00",
        "Ada: 31.03.2023 - 29.04.2023 12.00",
    ]
    assert club.reminders(date(2023, 4, 23)) == ["Ada"]


def test_pause_over_february():
    club = Club()
    member = club.join("Ada", MONTHLY, date(2023, 1, 31))
    club.collect(date(2023, 1, 31))
    member.pause(date(2023, 3, 5))
    assert days(club.collect(date(2023, 3, 31))) == ["2023-03-31"]


def test_change_of_cycle():
    club = Club()
    club.join("Ada", MONTHLY, date(2023, 12, 31))
    club.collect(date(2024, 1, 31))
    club.change_cycle("Ada", QUARTERLY)
    assert days(club.collect(date(2024, 9, 1))) == ["2024-02-29", "2024-05-31", "2024-08-31"]


def test_middle_of_the_month():
    club = Club()
    club.join("Ada", QUARTERLY, date(2023, 11, 15))
    assert days(club.collect(date(2024, 6, 1))) == ["2023-11-15", "2024-02-15", "2024-05-15"]
