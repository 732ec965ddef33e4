from pager_roost import Desk, Severity, read_teams

NIGHT = 23 * 60


def settings():
    return read_teams(
        [
            {
                "name": "shop",
                "lead": "sam@roost",
                "signature": "Shop",
                "quiet": ("22:00", "06:00"),
                "rules": [{"topic": "shop.*", "to": "shop@roost", "escalate": 15}],
            },
            {
                "name": "network",
                "lead": "nora@roost",
                "signature": "Network",
                "quiet": ("23:00", "05:30"),
                "rules": [
                    {"topic": "net.*", "to": "net@roost", "escalate": 5},
                    {"topic": "*", "to": "log@roost", "from": "critical"},
                ],
            },
            {
                "name": "payroll",
                "lead": "pia@roost",
                "signature": "Payroll",
                "rules": [{"topic": "pay.run", "to": "pay@roost", "from": "info"}],
            },
        ]
    )


def test_every_team_signs_its_own_messages():
    desk = Desk(settings())
    for topic in ("shop.cart", "net.link", "pay.run"):
        desk.raise_alert(topic, Severity.WARNING, "odd")
    assert desk.outbox.sent == [
        ("shop@roost", "[WARNING] shop.cart: odd -- Shop"),
        ("net@roost", "[WARNING] net.link: odd -- Network"),
        ("pay@roost", "[WARNING] pay.run: odd -- Payroll"),
    ]


def test_escalations_reach_the_lead_of_the_team():
    desk = Desk(settings())
    desk.raise_alert("shop.cart", Severity.ERROR)
    desk.raise_alert("net.link", Severity.ERROR)
    desk.time.pass_time(60)
    assert desk.outbox.sent[2:] == [
        ("nora@roost", "nobody took #2 (net.link) for 5 min -- Network"),
        ("sam@roost", "nobody took #1 (shop.cart) for 15 min -- Shop"),
    ]


def test_quiet_hours_of_the_first_team_hold_its_alerts():
    desk = Desk(settings(), now=NIGHT - 30)
    desk.raise_alert("shop.cart", Severity.ERROR)
    desk.raise_alert("net.link", Severity.ERROR, "down")
    assert desk.outbox.sent == [("net@roost", "[ERROR] net.link: down -- Network")]


def test_each_team_gets_its_digest_at_the_end_of_its_own_quiet_hours():
    desk = Desk(settings(), now=NIGHT)
    desk.raise_alert("shop.cart", Severity.ERROR)
    desk.raise_alert("net.link", Severity.WARNING)
    desk.raise_alert("net.dns", Severity.WARNING)
    assert desk.outbox.sent == []
    desk.time.pass_time(6 * 60 + 30)
    assert desk.outbox.sent == [("net@roost", "2 held: net.link, net.dns -- Network")]
    desk.time.pass_time(30)
    assert desk.outbox.sent[1:] == [("shop@roost", "1 held: shop.cart -- Shop")]


def test_team_without_quiet_hours_is_told_at_night():
    desk = Desk(list(reversed(settings())), now=NIGHT)
    desk.raise_alert("pay.run", Severity.INFO, "started")
    assert desk.outbox.sent == [("pay@roost", "[INFO] pay.run: started -- Payroll")]


def test_two_desks_keep_apart():
    night, noon = Desk(settings()[:1], now=NIGHT), Desk(settings()[:1])
    night.raise_alert("shop.cart", Severity.ERROR, "a")
    noon.raise_alert("shop.cart", Severity.ERROR, "b")
    assert night.outbox.sent == []
    assert noon.outbox.sent == [("shop@roost", "[ERROR] shop.cart: b -- Shop")]
