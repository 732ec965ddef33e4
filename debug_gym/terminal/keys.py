"""The keys of the game, as users of debuggers know them."""

from textual.binding import Binding, BindingType

KEYS: list[BindingType] = [
    Binding("f1", "help", "Help"),
    Binding("f5", "debug('c')", "Go"),
    Binding("f6", "call('eval')", "Tests"),
    Binding("f9", "toggle_breakpoint", "Break"),
    Binding("f10", "debug('n')", "Next"),
    Binding("f11", "debug('s')", "Step"),
    Binding("f4", "edit", "Edit"),
    Binding("ctrl+s", "submit", "Submit"),
    Binding("ctrl+q", "leave", "Quit"),
    Binding("f2", "files", "Files"),
    Binding("f3", "side", "Problem"),
    Binding("f7", "debug('restart')", "Restart"),
    Binding("f8", "run_to_cursor", "To cursor"),
    Binding("ctrl+z", "debug('back')", "Back"),
    Binding("f23,shift+f11", "debug('r')", "Return", show=False),
    Binding("ctrl+o", "output", "Output", show=False),
    Binding("ctrl+t", "light", "Light", show=False),
    Binding("ctrl+c", "interrupt", "Interrupt", show=False, priority=True),
    Binding("escape", "switch", "Switch", show=False),
]
"""Of the whole screen. The footer shows them in this order, as many as fit."""

SOURCE_KEYS: list[BindingType] = [
    Binding("n", "app.debug('n')", show=False),
    Binding("s", "app.debug('s')", show=False),
    Binding("r", "app.debug('r')", show=False),
    Binding("c", "app.debug('c')", show=False),
    Binding("u", "app.debug('up')", show=False),
    Binding("d", "app.debug('down')", show=False),
    Binding("b", "app.toggle_breakpoint", show=False),
    Binding("t", "app.run_to_cursor", show=False),
    Binding("e", "app.edit", show=False),
    Binding("f6", "app.call('eval')", "Tests"),  # these three mean something else in Textual's editor
    Binding("f7", "app.debug('restart')", "Restart"),
    Binding("escape", "app.switch", show=False, priority=True),
]
"""In the source pane; the letters while it is not being edited."""
