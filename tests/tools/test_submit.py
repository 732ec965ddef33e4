def test_submit_ends_the_episode(call, make_session):
    session = make_session({"a.py": ""})
    assert not session.submitted
    seen = call(session, "submit")
    assert session.submitted
    assert seen.text == "submitted: the episode ends here and the changes are judged"
    assert not seen.error


def test_submit_takes_no_arguments(call, make_session):
    session = make_session({"a.py": ""})
    assert call(session, "submit", reason="done").error
    assert not session.submitted
