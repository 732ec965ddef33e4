import pytest

import assayprint


@pytest.fixture(autouse=True)
def default_settings():
    assayprint.reset()
    yield
    assayprint.reset()
