"""The debugger's commands, in one table: those of pdb and our own. Whoever needs to know a command by its
name (the tools, what a person types, the reports, the documentation) asks here."""

from __future__ import annotations

from typing import Dict, FrozenSet, NamedTuple, Tuple

RESUME, END, START, TRAVEL, BREAKPOINT, SETTING, LOOK = (
    "resume",  # the program runs on
    "end",  # the program ends
    "start",  # the program starts again
    "travel",  # needs a program that has run, not one that runs
    "breakpoint",  # needs no program
    "setting",  # needs no program
    "look",  # looks at a program that stands, or changes its values
)


class Command(NamedTuple):
    """One command."""

    names: Tuple[str, ...]
    """What it is typed as; by the first one it is known."""
    effect: str
    """What it does to the program, or needs of it: one of the constants above."""
    argument: str
    """What may follow it, in the form of a usage line; empty: nothing."""
    help: str

    @property
    def name(self) -> str:
        """The one that it is known by."""
        return self.names[0]


COMMANDS = (
    Command(("s", "step"), RESUME, "", "go on to the next line, also in a function that is called"),
    Command(("n", "next"), RESUME, "", "go on to the next line of this function"),
    Command(("r", "return"), RESUME, "", "go on until this function returns"),
    Command(("until", "unt"), RESUME, "[line]", "go on to a line with a greater number, or with this one"),
    Command(("c", "cont", "continue"), RESUME, "", "go on to a breakpoint, a failure or the end"),
    Command(
        ("jump", "j"), RESUME, "line", "let another line of this function be the next one, and stand there"
    ),
    Command(("q", "quit", "exit", "EOF"), END, "", "end the program; the breakpoints stay"),
    Command(("restart", "run"), START, "[arguments]", "start again; the arguments are those of a script"),
    Command(("back",), TRAVEL, "[count]", "go back to the stop before this one, or that many stops"),
    Command(("goto",), TRAVEL, "checkpoint", "go back to a stop by its number in the list of `checkpoints`"),
    Command(("checkpoints",), TRAVEL, "", "list the stops to which `back` and `goto` can return"),
    Command(
        ("b", "break"),
        BREAKPOINT,
        "[[file:]line | [file:]function [, condition]]",
        "set a breakpoint; alone, list them all",
    ),
    Command(
        ("tbreak",),
        BREAKPOINT,
        "[file:]line | [file:]function [, condition]",
        "set a breakpoint that goes when it is first hit",
    ),
    Command(
        ("cl", "clear"), BREAKPOINT, "[file:line | number ...]", "delete breakpoints; alone, all of them"
    ),
    Command(("enable",), BREAKPOINT, "number ...", "let breakpoints stop the program again"),
    Command(("disable",), BREAKPOINT, "number ...", "keep breakpoints, but do not stop at them"),
    Command(("ignore",), BREAKPOINT, "number [count]", "pass over a breakpoint so many times"),
    Command(
        ("condition",), BREAKPOINT, "number [expression]", "stop there only if it is true; alone, always"
    ),
    Command(
        ("commands",),
        BREAKPOINT,
        "[number]",
        "what to do each time it stops there: the lines that follow, and then `end`, in the same call; "
        "`silent` as the first leaves out where the program stopped, `c` as the last goes on",
    ),
    Command(
        ("set",),
        SETTING,
        "[changes | machinery, on | off]",
        "let stops list the variables that changed, let stacks show pytest and the like; alone, list them",
    ),
    Command(("alias",), SETTING, "[name [command]]", "give a command a name; %1, %2 stand for its arguments"),
    Command(("unalias",), SETTING, "name", "forget an alias"),
    Command(("help", "h"), SETTING, "[command]", "say what a command does; alone, list them all"),
    Command(("where", "w", "bt"), LOOK, "[count]", "show the stack, the newest frame last"),
    Command(("up", "u"), LOOK, "[count]", "look at the frame that called this one"),
    Command(("down", "d"), LOOK, "[count]", "look at the frame that this one called"),
    Command(("l", "list"), LOOK, "[first[, last] | .]", "show source, eleven lines at a time"),
    Command(("ll", "longlist"), LOOK, "", "show the source of this function"),
    Command(("source",), LOOK, "expression", "show the source of a function, class or module"),
    Command(("args", "a"), LOOK, "", "print the arguments of this function"),
    Command(("retval", "rv"), LOOK, "", "print what the function that has just returned gave back"),
    Command(("p",), LOOK, "expression", "print a value"),
    Command(("pp",), LOOK, "expression", "print a value, one part a line"),
    Command(("whatis",), LOOK, "expression", "print the type of a value"),
    Command(("display",), LOOK, "[expression]", "print a value whenever it has changed at a stop here"),
    Command(("undisplay",), LOOK, "[expression]", "print it no longer; alone, none of them"),
    Command(
        ("exceptions",),
        LOOK,
        "[number | expression]",
        "look at another of the exceptions that led to a failure, or at one that the program has caught and "
        "kept; alone, list them",
    ),
    Command(("debug",), LOOK, "code", "step through a statement or an expression, then come back here"),
    Command(("interact",), LOOK, "", "needs a terminal, which there is none here: send the statements"),
)

BY_WORD: Dict[str, Command] = {word: command for command in COMMANDS for word in command.names}
"""Every word that a command can be typed as."""


def words_of(*effects: str) -> FrozenSet[str]:
    """The words of the commands that have one of these effects."""
    return frozenset(word for word, command in BY_WORD.items() if command.effect in effects)


CONTINUING = frozenset(BY_WORD["c"].names)
ENDING = words_of(END) | {"quit()", "exit()"}
RESUMING = words_of(RESUME) | ENDING
"""Commands after which the program runs again, or has ended."""
BREAKPOINTS, TRAVELLING, STARTING = words_of(BREAKPOINT), words_of(TRAVEL), words_of(START)
WITHOUT_PROGRAM = words_of(BREAKPOINT, SETTING)
"""Commands that need no program."""
