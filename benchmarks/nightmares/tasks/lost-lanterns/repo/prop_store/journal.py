"""What has been done, with what it takes to undo it.

Steps are noted as they are done. Work that may fail half way is done in an ``attempt``: if it fails, its
steps are undone, last first, and the error goes on. Attempts may be made of smaller ones.
"""

from contextlib import contextmanager


class Journal:
    """Steps that can still be undone."""

    def __init__(self):
        self._undo = []

    def note(self, undo, *arguments):
        """Note how to undo what has just been done."""
        self._undo.append((undo, arguments))

    @contextmanager
    def attempt(self):
        """All or nothing of what is done in the block."""
        begin = len(self._undo)
        try:
            yield
        except Exception:
            self._back_to(begin)
            raise
        del self._undo[begin:]

    def _back_to(self, begin):
        while len(self._undo) > begin:
            undo, arguments = self._undo.pop()
            undo(*arguments)
