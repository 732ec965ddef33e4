from decimal import Decimal

import pytest

from bill_press import Invoice, Ledger, Line, Press, UnknownRate, parse_amount, preview


def line(price, quantity="1", rate="standard", discount="0"):
    return Line("thing", Decimal(quantity), parse_amount(price), rate, Decimal(discount))


def test_total():
    invoice = Invoice("1", "Ann", (line("10.00"), line("2.50", "4", "reduced")))
    assert (invoice.net, invoice.tax, invoice.total) == (Decimal("20.00"), Decimal("2.60"), Decimal("22.60"))


def test_half_a_cent_is_rounded_up():
    assert line("0.25", discount="10").net == Decimal("0.23")
    assert line("0.45", discount="10").net == Decimal("0.41")
    assert line("0.005", "5").net == Decimal("0.03")


def test_tax_is_computed_from_the_sum():
    invoice = Invoice("1", "Ann", (line("0.50", rate="reduced"), line("0.50", rate="reduced")))
    assert invoice.tax == Decimal("0.07")


def test_preview():
    invoice = Invoice("7", "Ann", (line("1.50", rate="reduced"),), parts=2)
    assert preview(invoice) == (
        "Invoice 7  Ann\n"
        "  thing                       1.50\n"
        "  tax 7 %                     0.11\n"
        "  total                       1.61\n"
        "  to be paid as 0.81 + 0.80"
    )


def test_press_prints_what_the_preview_shows():
    ledger = Ledger()
    (printed,) = Press(ledger).run([Invoice("7", "Ann", (line("1.50", rate="reduced"),))])
    assert "tax 7 %                     0.11" in printed.text
    assert ledger.turnover == Decimal("1.61")


def test_press_keeps_the_order():
    invoices = [Invoice(str(number), "Ann", (line("1.00"),)) for number in range(12)]
    assert [printed.number for printed in Press(Ledger()).run(invoices)] == [str(n) for n in range(12)]


def test_an_invoice_is_booked_once():
    ledger = Ledger()
    invoice = Invoice("1", "Ann", (line("1.00"),))
    ledger.book(invoice)
    with pytest.raises(ValueError, match="already booked"):
        ledger.book(invoice)


def test_bad_input():
    with pytest.raises(ValueError, match="is not an amount"):
        parse_amount("12.x")
    with pytest.raises(ValueError, match="impossible"):
        line("1", discount="101")
    with pytest.raises(UnknownRate):
        Invoice("1", "Ann", (line("1.00", rate="luxury"),)).total
