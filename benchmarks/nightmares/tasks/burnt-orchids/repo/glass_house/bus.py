"""Where events are told to all who listen."""


class Bus:
    """Tells events to listeners, in the order in which they came to listen."""

    def __init__(self):
        self._listeners = {}

    def listen(self, kind, listener):
        """Have events of a kind told to a function."""
        self._listeners.setdefault(kind, []).append(listener)

    def tell(self, event):
        """Tell an event to all who listen to its kind."""
        for listener in self._listeners.get(type(event), []):
            listener(event)
