"""How the debugger behaves, beside its breakpoints: what stops and stacks show, and the aliases. All of it
outlives the program: the next one, and a checkpoint that is gone back to, take it over."""

from __future__ import annotations

from typing import Any, Dict

from .points import BreakpointCommands
from .view import Places, Sources

_MEANING = {
    "changes": "each stop lists the local variables that changed since the one before",
    "machinery": "where, up and down also show pytest, the import system, asyncio's loop and the debugger",
}


class Settings:
    """What can be switched on by ``set``."""

    def __init__(self) -> None:
        self.changes = False
        self.machinery = False


class SettingCommands(BreakpointCommands):
    """The command ``set``."""

    def __init__(self, places: Places, sources: Sources, stdin: Any, stdout: Any) -> None:
        super().__init__(places, sources, stdin, stdout)
        self.settings = Settings()

    def report_settings(self) -> Dict[str, Any]:
        """All settings as plain data."""
        return {**vars(self.settings), "aliases": dict(self.aliases)}

    def restore_settings(self, values: Dict[str, Any]) -> None:
        """Take over settings as ``report_settings`` gave them; those that are missing stay."""
        self.aliases = dict(values.get("aliases", self.aliases))
        for name in _MEANING:
            setattr(self.settings, name, bool(values.get(name, getattr(self.settings, name))))

    def do_set(self, arg: str) -> None:
        """set changes on|off, set machinery on|off: what stops and stacks show; alone, list the settings."""
        words = arg.split()
        if not words:
            for name, meaning in _MEANING.items():
                state = "on" if getattr(self.settings, name) else "off"
                self.message("%-10s %-4s (on: %s)" % (name, state, meaning))
        elif len(words) != 2 or words[0] not in _MEANING or words[1] not in ("on", "off"):
            self.error("say  set changes on|off  or  set machinery on|off; `set` alone lists the settings")
        else:
            setattr(self.settings, words[0], words[1] == "on")
            self.message("%s: %s" % tuple(words))
            self.settings_changed(words[0])

    def settings_changed(self, name: str) -> None:
        """Let a setting take effect at once."""
        raise NotImplementedError
