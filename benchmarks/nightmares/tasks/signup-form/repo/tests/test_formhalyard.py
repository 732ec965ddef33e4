import pytest

from formhalyard import (
    Between,
    Choice,
    Form,
    Group,
    MaxLength,
    Number,
    Pattern,
    Required,
    Text,
    render,
)


@pytest.fixture
def signup():
    zip_code = Text("zip", "ZIP", rules=[Pattern(r"\d{5}", "five digits")])
    return Form(
        "signup",
        [
            Text("name", rules=[Required(), MaxLength(10)]),
            Number("age", rules=[Between(18, 120)]),
            Choice("plan", ["free", "pro"]),
            Group("address", [Text("street"), zip_code]),
        ],
    )


GOOD = {"name": " Ada ", "age": "36", "plan": "pro", "address.zip": "12345"}


def test_good_submission(signup):
    outcome = signup.check(GOOD)
    assert outcome.values == {
        "name": "Ada",
        "age": 36,
        "plan": "pro",
        "address": {"street": "", "zip": "12345"},
    }


def test_messages_of_a_bad_submission(signup):
    outcome = signup.check({"age": "12", "address.zip": "1234"})
    assert not outcome.ok
    assert "is required" in outcome.messages["name"]
    assert "is not between 18 and 120" in outcome.messages["age"]
    assert "five digits" in outcome.messages["address.zip"]


def test_unreadable_number(signup):
    outcome = signup.check({**GOOD, "age": "x"})
    assert "is not a number" in outcome.messages["age"]
    assert outcome.values["age"] is None


def test_second_submission_is_accepted_after_the_mistakes_are_mended(signup):
    assert not signup.check({**GOOD, "age": "12"}).ok
    assert signup.check(GOOD).ok


def test_a_form_has_each_field_once():
    with pytest.raises(ValueError, match="form 'f' has more than one field 'a'"):
        Form("f", [Text("a"), Text("a")])


def test_html_with_data():
    form = Form("f", [Text("first_name", rules=[Required()]), Choice("c", ["x", "y"])])
    assert render(form, {"first_name": '"A"', "c": "y"}).splitlines() == [
        '<form id="f" method="post">',
        '<label>First name * <input name="first_name" value="&quot;A&quot;"></label>',
        '<label>C <select name="c"><option>x</option><option selected>y</option></select></label>',
        "</form>",
    ]


def test_html_with_messages(signup):
    bad = {**GOOD, "address.zip": "1"}
    html = render(signup, bad, signup.check(bad).report)
    assert '<em class="wrong">five digits</em>' in html
