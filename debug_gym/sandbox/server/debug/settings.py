"""How the debugger behaves, beside its breakpoints: what stops and stacks show, and the aliases. All of it
outlives the program: the next one, and a checkpoint that is gone back to, take it over."""

from __future__ import annotations

from typing import Any, Dict, Optional

from .output import Output

_MEANING = {
    "changes": "each stop lists the local variables that changed since the one before",
    "machinery": "where, up and down also show pytest, the import system, asyncio's loop and the debugger",
}


class Settings:
    """What can be switched on by ``set``, and the aliases."""

    def __init__(self) -> None:
        self.changes = False
        self.machinery = False
        self.aliases: Dict[str, str] = {}
        """Name to what it stands for, as ``pdb.Pdb.aliases`` holds them."""

    def report(self) -> Dict[str, Any]:
        """All settings as plain data."""
        return {**vars(self), "aliases": dict(self.aliases)}

    def restore(self, values: Dict[str, Any]) -> None:
        """Take over settings as ``report`` gave them; those that are missing stay."""
        aliases = dict(values.get("aliases", self.aliases))
        self.aliases.clear()
        self.aliases.update(aliases)
        for name in _MEANING:
            setattr(self, name, bool(values.get(name, getattr(self, name))))

    def command(self, arg: str, output: Output) -> Optional[str]:
        """What ``set`` does; the name of the setting that it has set, if any."""
        words = arg.split()
        if not words:
            for name, meaning in _MEANING.items():
                state = "on" if getattr(self, name) else "off"
                output.message("%-10s %-4s (on: %s)" % (name, state, meaning))
            return None
        if len(words) != 2 or words[0] not in _MEANING or words[1] not in ("on", "off"):
            output.error("say  set changes on|off  or  set machinery on|off; `set` alone lists the settings")
            return None
        setattr(self, words[0], words[1] == "on")
        output.message("%s: %s" % tuple(words))
        return words[0]
