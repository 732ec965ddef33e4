"""The debugger: the standard library's pdb, framed exactly, with stops that show themselves.

Every stop says in one line why and where, shows the source around it, and leaves a checkpoint behind, to
which one can go back.
"""

from __future__ import annotations

import pdb
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Optional, Sequence

from ..checkpoints import Past, choose, table
from .chain import Chain
from .commands import Commanded
from .stepping import use
from .talk import Conversation
from .view import Places, Sources, describe
from .words import RESUMING


class Debugger(Commanded):
    """pdb with an agent at the other end."""

    def __init__(
        self, talk: Conversation, places: Places, sources: Sources, past: Past, *, nested: bool = False
    ) -> None:
        super().__init__(talk, places, sources, past, nested=nested)
        self._stops = 0
        self._chain: Optional[Chain] = None
        """The exceptions that there are to look at after a failure."""

    # -- stopping -----------------------------------------------------------------------------

    def stop(
        self,
        frame: Optional[FrameType],
        kind: str,
        detail: str = "",
        *,
        trace: Optional[TracebackType] = None,
        error: Optional[BaseException] = None,
        script: Sequence[str] = (),
    ) -> None:
        """See ``TracedProgram``."""
        me = threading.get_ident()
        if self.talk.closed or self.inside == me:
            return
        with self.lock:
            self.stepper = self.inside = me
            self._stops += 1
            if self._stops == 1:
                self.sources.begin()
            flush()
            self.post_mortem_only, self.prefer_ours = frame is None, frame is None or kind == "interrupted"
            before = self.of_the_session()
            self.setup(frame, trace)
            silent = list(script[:1]) == ["silent"]
            leaves = bool(script) and script[-1].split()[0] in RESUMING
            self.stand(kind, error)
            if leaves:
                self.past.here = 0  # nobody looks: this stop is none to go back to
            elif self._leave_checkpoint():
                silent, script = False, ()
            if not silent:
                self.announce(kind, detail, brief=leaves)
                self.tell_changes()
            self.talk.lines.extendleft(reversed(script[silent:]))
            if self.talk.lines:  # the answer, which tells of the copy, is not sent at once
                self.talk.tell({"checkpoints": self.past.kept})
            self._converse()
            said, after = self.words.take(), self.of_the_session()
            if said or after != before:  # should the program die now, this is known
                self.talk.tell({**after, "output": said})
            self.forget()
            self.standing, self.post_mortem_only, self.inside = None, False, 0
            self.resume(frame or sys._getframe(1))

    def _leave_checkpoint(self) -> bool:
        """Freeze a copy of the program as it stands. True in one that was woken to take its place, and has
        left a new copy."""
        assert self.standing is not None
        woken = False
        while self.past.freeze(self.standing):
            woken = True
            order = self.talk.awake()
            self.past.kept = order["checkpoints"]
            self.message(order["note"] + "\n" + self.past.limits())
            self.replace(order["breakpoints"])
            self.restore_settings(order["settings"])
        return woken

    def _converse(self) -> None:
        while True:
            self._cmdloop()
            if not self.interrupted:
                return
            self.announce("interrupted")

    # -- failures -----------------------------------------------------------------------------------

    def post_mortem(self, error: BaseException) -> None:
        """Show where an exception was raised, and take commands until one lets the program go on."""
        use(None)
        self._chain = Chain(error, self.places)
        cause = self._chain.current
        if cause.__traceback__ is None:
            self.message(describe(cause))
        else:
            detail = self._describe_in_chain()
            self.stop(None, "post-mortem", detail, trace=cause.__traceback__, error=cause)
        self._chain = None

    def take_hooks(self) -> None:
        """See ``HookedProgram``; ``pdb.post_mortem()`` and ``pdb.pm()`` come here, too."""
        super().take_hooks()
        pdb.post_mortem = self._on_post_mortem

    def _on_post_mortem(self, t: Any = None) -> None:
        if self.inside:
            raise RuntimeError(
                "no debugger inside of the debugger: after a failure, `exceptions result.exception` shows "
                "where an exception was raised that the program has kept"
            )
        error = t if isinstance(t, BaseException) else sys.exc_info()[1]
        if error is None:
            raise ValueError("pdb.post_mortem() needs an exception, or to be called while one is handled")
        self.post_mortem(error)

    def _describe_in_chain(self) -> str:
        assert self._chain is not None
        hint = "\n(one of %d exceptions, with number %d; `exceptions` lists them)"
        count = len(self._chain.errors)
        return describe(self._chain.current) + (hint % (count, self._chain.index) if count > 1 else "")

    def do_exceptions(self, arg: str) -> None:
        """exceptions [number | expression]: look at another exception of the chain, or at one that the
        program has caught and kept; alone, list them."""
        chain = self._chain
        if chain is None:
            self.error("no exception is being looked at: there are some where a test or script has failed")
            return
        if not arg.strip():
            self.message(chain.table())
            return
        kept = self._exception_kept_in(arg.strip())
        try:
            if kept is not None:
                chain.add(kept)
            else:
                chain.select(arg.strip())
        except ValueError as error:
            self.error(str(error))
            return
        self.setup(None, chain.current.__traceback__)
        self.stand("post-mortem", chain.current)
        self.announce("post-mortem", self._describe_in_chain())

    def _exception_kept_in(self, expression: str) -> Optional[BaseException]:
        try:
            code = compile(expression, "<stdin>", "eval")
            kept = eval(code, self.scope(code), self.local_variables())
        except Exception:
            return None
        return kept if isinstance(kept, BaseException) else None

    # -- going back ---------------------------------------------------------------------------------

    def do_back(self, arg: str) -> None:
        """back [count]: go back to the stop before this one, or that many stops."""
        self._go("back", arg)

    def do_goto(self, arg: str) -> None:
        """goto checkpoint: go back to a stop by its number in the list of ``checkpoints``."""
        self._go("goto", arg)

    def _go(self, word: str, arg: str) -> None:
        self.past.prune()
        try:
            number = choose(word, arg, self.past.kept, self.past.here)
        except ValueError as error:
            self.error(str(error))
            return
        self.talk.give_way(number, self.facts())

    def do_checkpoints(self, arg: str) -> None:
        """checkpoints: list the stops to which ``back`` and ``goto`` can return."""
        self.past.prune()
        self.message(table(self.past.kept, self.past.here))

    def _abandon(self) -> None:
        if not self.past.freezing:
            super()._abandon()


def flush() -> None:
    """Let out what the program has written so far."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()  # type: ignore[union-attr]
        except Exception:
            continue
