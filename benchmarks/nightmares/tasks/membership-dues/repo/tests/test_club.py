from datetime import date

import pytest

from dues_almanac import MONTHLY, QUARTERLY, YEARLY, Club, MemberError


def starts(charges):
    return [charge.start.isoformat() for charge in charges]


def test_monthly():
    club = Club()
    club.join("Ada", MONTHLY, date(2023, 11, 15))
    assert starts(club.collect(date(2024, 2, 14))) == ["2023-11-15", "2023-12-15", "2024-01-15"]
    assert starts(club.collect(date(2024, 2, 15))) == ["2024-02-15"]
    assert club.collect(date(2024, 2, 20)) == []


def test_trial_and_text():
    club = Club()
    club.join("Ada", QUARTERLY, date(2024, 1, 1), trial_days=14)
    (charge,) = club.collect(date(2024, 1, 15))
    assert charge.text == "Ada: 15.01.2024 - 14.04.2024 33.00"


def test_last_day_of_february():
    club = Club()
    club.join("Ada", MONTHLY, date(2024, 1, 30))
    club.join("Bob", YEARLY, date(2023, 2, 28))
    dues = [(day.isoformat(), name) for day, name, _ in club.forecast(date(2024, 2, 29))]
    assert dues == [("2023-02-28", "Bob"), ("2024-01-30", "Ada"), ("2024-02-28", "Bob"), ("2024-02-29", "Ada")]


def test_joined_on_the_last_of_january():
    club = Club()
    club.join("Ada", MONTHLY, date(2023, 1, 31))
    assert starts(club.collect(date(2023, 3, 31))) == ["2023-01-31", "2023-02-28", "2023-03-31"]


def test_pause():
    club = Club()
    member = club.join("Ada", MONTHLY, date(2024, 1, 10))
    club.collect(date(2024, 1, 10))
    member.pause(date(2024, 5, 1))
    assert starts(club.collect(date(2024, 5, 31))) == ["2024-05-10"]
    with pytest.raises(MemberError, match="already paid"):
        member.pause(date(2024, 6, 1))


def test_leaving_and_reminders():
    club = Club()
    club.join("Ada", MONTHLY, date(2024, 1, 10))
    club.join("Bob", MONTHLY, date(2024, 1, 10))
    club.leave("Bob", date(2024, 1, 1))
    assert club.reminders(date(2024, 1, 3)) == ["Ada"]
    assert len(club.collect(date(2024, 1, 10))) == 1


def test_money_by_month():
    club = Club()
    club.join("Ada", MONTHLY, date(2024, 1, 10))
    club.join("Bob", YEARLY, date(2024, 2, 1))
    club.collect(date(2024, 2, 28))
    assert club.ledger.by_month() == {"2024-01": 1200, "2024-02": 13200}


def test_save_and_load():
    club = Club()
    club.join("Ada", QUARTERLY, date(2024, 1, 10))
    club.collect(date(2024, 1, 10))
    assert starts(Club.load(club.save()).collect(date(2024, 4, 10))) == ["2024-04-10"]
    with pytest.raises(MemberError, match="Bob is not a member"):
        club["Bob"]
