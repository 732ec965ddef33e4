"""Things that are wanted together."""

from prop_store.slips import Slip


class Kit:
    """A named set of items.

    Args:
        name: by which it is asked for.
        content: item to how many of it.
        instead: name of the kit that will do where this one cannot be had.
    """

    def __init__(self, name, content, instead=None):
        self.name = name
        self.content = dict(content)
        self.instead = instead


class Packer:
    """Takes items and kits from the shelves, and notes in a journal how to put them back."""

    def __init__(self, shelves, kits, journal):
        self._shelves = shelves
        self._kits = {kit.name: kit for kit in kits}
        self._journal = journal

    def knows(self, name):
        """Whether there is a kit of this name."""
        return name in self._kits

    def single(self, item, count):
        """A slip for items of one kind. Raises ``Shortage``."""
        self._shelves.take(item, count)
        self._journal.note(self._shelves.put, item, count)
        return Slip(item, {item: count})

    def kit(self, name):
        """A slip for a kit, or for the one that will do instead. Raises ``Shortage`` of the last one tried."""
        kit = self._kits[name]
        try:
            return self._whole(kit)
        except Exception:
            if kit.instead is None:
                raise
            return self.kit(kit.instead)

    def _whole(self, kit):
        with self._journal.attempt():
            for item, count in kit.content.items():
                self.single(item, count)
        return Slip(kit.name, kit.content)
