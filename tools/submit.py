"""The ``submit`` tool: the agent says that it is done."""

from debug_gym.episode import Observation
from debug_gym.tools.base import Arguments, Session, Tool


class Submit(Tool):
    """Ends the episode."""

    name, kind = "submit", "end"
    description = "Hand in the workspace as it is now. The episode ends and the fix is judged."

    class Args(Arguments):
        """Nothing."""

    def run(self, session: Session, args: Args) -> Observation:
        """See ``Tool.run``."""
        session.submitted = True
        return Observation(text="submitted: the episode ends here and the changes are judged")
