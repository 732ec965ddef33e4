from formhalyard import (
    Form,
    Group,
    MaxLength,
    Number,
    Pattern,
    Report,
    Required,
    SameAs,
    Text,
    render,
)


def zip_form():
    return Form("f", [Group("home", [Text("zip", rules=[Pattern(r"\d{5}", "five digits")])])])


def test_messages_are_those_of_the_submission():
    form = zip_form()
    assert form.check({"home.zip": "1"}).messages == {"home.zip": ["five digits"]}
    assert form.check({"home.zip": "12345"}).messages == {}
    assert form.check({"home.zip": "x"}).messages == {"home.zip": ["five digits"]}


def test_two_forms_have_nothing_to_do_with_each_other():
    first, second = zip_form(), Form("g", [Text("name", rules=[MaxLength(3)])])
    assert not first.check({"home.zip": "?"}).ok
    assert second.check({"name": "abcd"}).messages == {"name": ["has more than 3 characters"]}


def test_an_earlier_outcome_does_not_change():
    form = Form("g", [Text("name", rules=[Required()]), Number("age")])
    good = form.check({"name": "Ada"})
    bad = form.check({"age": "old"})
    assert good.ok and good.messages == {}
    assert bad.messages == {"name": ["is required"], "age": ["is not a number"]}


def test_a_fresh_form_is_shown_without_messages():
    form = zip_form()
    form.check({"home.zip": "1"})
    assert 'class="wrong"' not in render(form)


def test_checks_of_a_form_run_on_each_good_submission():
    seen = []

    def later(values, report):
        seen.append(values["start"])
        if values["end"] <= values["start"]:
            report.add("end", "is not later")

    form = Form("trip", [Number("start"), Number("end")], checks=[later])
    assert form.check({"start": "5", "end": "x"}).messages == {"end": ["is not a number"]}
    assert form.check({"start": "5", "end": "4"}).messages == {"end": ["is not later"]}
    assert form.check({"start": "5", "end": "6"}).ok
    assert seen == [5, 5]


def test_nested_reports_belong_to_the_one_they_came_from():
    report = Report()
    report.nested("a").nested("b").add("c", "deep")
    report.add("d", "flat")
    report.add("d", "flat")
    assert list(report) == [("a.b.c", "deep"), ("d", "flat")]
    assert Report().ok


def test_nested_report_of_an_empty_one_is_connected():
    report = Report()
    below = report.nested("x")
    assert report.ok and below.ok
    below.add("y", "late")
    assert not report.ok
    assert Report().messages == {}


def test_passwords_in_two_tries():
    form = Form("p", [Text("new"), Text("again", rules=[Required(), SameAs("new")])])
    assert form.check({"new": "a", "again": "b"}).messages == {"again": ["is not the same as new"]}
    assert form.check({"new": "b", "again": "b"}).ok
