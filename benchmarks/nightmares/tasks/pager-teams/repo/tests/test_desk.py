import pytest

from pager_roost import Desk, SettingsError, Severity, read_teams

WEB = {
    "name": "web",
    "lead": "wanda@roost",
    "signature": "Web on call",
    "quiet": ("22:00", "06:00"),
    "rules": [{"topic": "web.*", "to": "web@roost", "escalate": 30}],
}
DATABASE = {
    "name": "database",
    "lead": "dora@roost",
    "signature": "Database on call",
    "rules": [
        {"topic": "db.*", "to": "db@roost", "from": "error"},
        {"topic": "db.backup", "to": "backup@roost", "from": "info"},
    ],
}


def test_threshold():
    desk = Desk(read_teams([DATABASE]))
    desk.raise_alert("db.disk", Severity.WARNING)
    desk.raise_alert("db.disk", Severity.ERROR, "97 % full")
    assert desk.outbox.sent == [("db@roost", "[ERROR] db.disk: 97 % full -- Database on call")]


def test_two_rules_of_a_team():
    desk = Desk(read_teams([DATABASE]))
    desk.raise_alert("db.backup", Severity.ERROR, "late")
    desk.raise_alert("db.backup", Severity.INFO, "done")
    assert [address for address, _ in desk.outbox.sent] == ["db@roost", "backup@roost", "backup@roost"]


def test_nobody_listens():
    assert Desk(read_teams([WEB])).raise_alert("db.disk", Severity.CRITICAL) == 0


def test_addresses_of_two_teams():
    desk = Desk(read_teams([DATABASE, WEB]))
    desk.raise_alert("db.disk", Severity.CRITICAL)
    desk.raise_alert("web.cert", Severity.WARNING)
    assert [address for address, _ in desk.outbox.sent] == ["db@roost", "web@roost"]


def test_signatures_of_two_teams():
    desk = Desk(read_teams([DATABASE, WEB]))
    desk.raise_alert("db.disk", Severity.CRITICAL, "full")
    desk.raise_alert("web.cert", Severity.WARNING, "expires")
    assert [message for _, message in desk.outbox.sent] == [
        "[CRITICAL] db.disk: full -- Database on call",
        "[WARNING] web.cert: expires -- Web on call",
    ]


def test_escalation_unless_acknowledged():
    desk = Desk(read_teams([WEB]))
    first = desk.raise_alert("web.cert", Severity.ERROR, "expired")
    desk.raise_alert("web.load", Severity.ERROR, "high")
    desk.time.pass_time(10)
    desk.acknowledge(first)
    desk.time.pass_time(20)
    assert desk.outbox.sent[2:] == [("wanda@roost", "nobody took #2 (web.load) for 30 min -- Web on call")]


def test_digest_after_quiet_hours():
    desk = Desk(read_teams([WEB]), now=23 * 60)
    desk.raise_alert("web.cert", Severity.ERROR)
    desk.raise_alert("web.load", Severity.WARNING)
    assert desk.outbox.sent == []
    desk.time.pass_time(7 * 60)
    assert desk.outbox.sent == [("web@roost", "2 held: web.cert, web.load -- Web on call")]


def test_bad_severity():
    with pytest.raises(SettingsError, match="unknown severity 'loud'"):
        read_teams([{"name": "x", "lead": "x", "rules": [{"topic": "*", "to": "x", "from": "loud"}]}])
