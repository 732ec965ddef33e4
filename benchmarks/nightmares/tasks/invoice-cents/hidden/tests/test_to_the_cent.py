import threading
from decimal import ROUND_FLOOR, Context, Decimal, localcontext

from bill_press import Invoice, Ledger, Line, Press, preview


def line(price, quantity="1", rate="standard", discount="0"):
    return Line("thing", Decimal(quantity), Decimal(price), rate, Decimal(discount))


def elsewhere(function):
    """The function's result in a thread of its own."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def test_discounts_of_a_night():
    invoices = [
        Invoice("a", "Ann", (line("0.25", rate="none", discount="10"),)),
        Invoice("b", "Bob", (line("0.25", rate="none", discount="50"),)),
        Invoice("c", "Cyd", (line("0.005", "5", rate="none"),)),
    ]
    ledger = Ledger()
    texts = [printed.text.splitlines()[-1].split() for printed in Press(ledger).run(invoices)]
    assert texts == [["total", "0.23"], ["total", "0.13"], ["total", "0.03"]]
    assert ledger.turnover == Decimal("0.39")


def test_tax_that_the_press_books():
    ledger = Ledger()
    Press(ledger, workers=1).run(
        [
            Invoice("a", "Ann", (line("1.50", rate="reduced"), line("0.50", rate="standard"))),
            Invoice("b", "Bob", (line("3.00", rate="farm"),)),
        ]
    )
    assert ledger.tax == Decimal("0.38")


def test_credit_note_of_a_night():
    (printed,) = Press(Ledger()).run([Invoice("c", "Ann", (line("1.50", "-1", "reduced"),))])
    assert printed.text.splitlines()[2:] == [
        "  tax 7 %                    -0.11",
        "  total                      -1.61",
    ]


def test_invoice_in_a_thread_of_the_web_server():
    invoice = Invoice("1", "Ann", (line("0.25", rate="none", discount="50"),))
    assert elsewhere(lambda: invoice.total) == Decimal("0.13")


def test_payments_in_a_thread_of_the_web_server():
    invoice = Invoice("1", "Ann", (line("0.05", rate="none"),), parts=2)
    assert elsewhere(invoice.payments) == [Decimal("0.03"), Decimal("0.02")]


def test_caller_with_a_decimal_context_of_its_own():
    invoice = Invoice("1", "Ann", (line("1.50", rate="reduced"),))
    with localcontext(Context(rounding=ROUND_FLOOR)):
        assert invoice.total == Decimal("1.61")


def test_preview_on_the_screen():
    invoice = Invoice("1", "Ann", (line("3.00", rate="farm"), line("1000", rate="none")))
    assert preview(invoice).splitlines()[3:] == [
        "  tax 5.5 %                   0.17",
        "  tax 0 %                     0.00",
        "  total                   1,003.17",
    ]
