"""One subtitle."""


class Cue:
    """A text for a while.

    Args:
        begin: in milliseconds.
        end: likewise.
        text: of it; a stroke breaks the line.
    """

    def __init__(self, begin, end, text):
        if end <= begin:
            raise ValueError("%r ends before it begins" % text)
        self.begin = begin
        self.end = end
        self.text = text

    def lines(self):
        """The lines of its text."""
        return [line.strip() for line in self.text.split("|")]
