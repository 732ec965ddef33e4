"""What the tests of the tools share."""

import pytest

from debug_gym.episode import ToolCall
from debug_gym.tools.base import Toolbox


@pytest.fixture(scope="session")
def call():
    """``call(session, "view", path="a.py")``: what an agent gets back for this call."""

    def call(session, tool, **arguments):
        return Toolbox([tool]).call(session, ToolCall(name=tool, arguments=arguments))

    return call
