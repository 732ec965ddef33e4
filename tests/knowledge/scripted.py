"""A model that says what it is told to."""

from debug_gym.agents.models import Model, Reply


class Scripted(Model):
    """Says what it is told to, in turn; an error is raised."""

    def __init__(self, *texts):
        self.name, self.texts, self.asked = "scripted", list(texts), []

    def reply(self, messages, tools, *, episode=""):
        self.asked.append(messages[-1]["content"])
        said = self.texts.pop(0)
        if isinstance(said, Exception):
            raise said
        return Reply(text=said)

    def replies(self, requests):
        return [self._answer(request) for request in requests]

    def _answer(self, request):
        try:
            return self.reply(request.messages, request.tools)
        except Exception as error:
            return error
