"""Text on its way to the agent and back: made harmless, repeatable and short; files decoded and encoded."""

import codecs
import difflib
import io
import posixpath
import re
import tokenize
from dataclasses import dataclass, replace
from encodings import normalize_encoding
from encodings.aliases import aliases

from debug_gym.tools.base import Session, ToolError
from debug_gym.tools.printable import one_line

# -- for the agent's eyes ----------------------------------------------------------------


def clip(text: str, limit: int) -> str:
    """At most about ``limit`` characters: whole lines from the start and the end, and what was cut."""
    if len(text) <= limit:
        return text
    head, tail = text[: limit // 2], text[-(limit // 2) :]
    head = head[: head.rfind("\n") + 1] or head
    tail = tail[tail.find("\n") + 1 :] or tail
    cut = f"[... {len(text) - len(head) - len(tail)} characters cut ...]"
    return "\n".join([head.removesuffix("\n"), cut, tail])


_TOTALS = re.compile(
    r"^(.{0,200}\b(?:passed|failed|errors?|skipped|xfailed|xpassed|deselected|warnings?|no tests ran)\b"
    r".{0,100}?)"
    r" in \d+\.\d+s(?: \(\d[\d:, days]{0,30}\))?(.*)$",
    re.MULTILINE,
)
_REPORT = re.compile(r"^(?=(?:_{2,}|={2,}|-{2,}) )", re.MULTILINE)
"""Where pytest begins to tell of another test, of what that has written, or of something else."""
_RULE = re.compile(r"={2,}|^=(?= )|(?<= )=$")
_DURATION = re.compile(r"^\d+\.\d+s (call|setup|teardown) ", re.MULTILINE)
_TEMPORARY = re.compile(r"/tmp/(?:pytest-of-\w+(?:/p[a-z]*-?\d*)?|tmp[a-z0-9_]{8}\b)(?:\.\.\.)?")
_CUT_ADDRESS = re.compile(r"\bat 0x[0-9a-f]*\.\.\.")
_CUT_START = re.compile(r"\.\.\.(?:[\w .]{0,40} )?(?:0?x)?[0-9a-f]{2,16}(?=>)")
_ADDRESS = re.compile(r"(?:(?<=\bat )|(?<=\b[Tt]hread ))0x[0-9a-fA-F]{4,16}\b|(?<=\bid=')\d{9,}(?=')")


def scrub(text: str) -> str:
    """pytest's output without what differs from run to run: durations, temporary folders, addresses.

    Addresses are numbered in the order in which they appear, so that equal ones stay equal: in the report of
    one test, in what it has written, and in one line elsewhere, since objects that do not live at the same
    time have the same one by chance.
    """

    def totals(found: re.Match[str]) -> str:
        return _RULE.sub("=====", found.group(1) + found.group(2))

    text = _TOTALS.sub(totals, text)
    text = _DURATION.sub(r"\1 ", text)
    text = _TEMPORARY.sub("/tmp/...", text)
    text = _CUT_ADDRESS.sub("at 0x...", text)
    text = _CUT_START.sub("...", text)
    parts = [
        (part,) if part.startswith(("_", "-")) else part.splitlines(keepends=True)
        for part in _REPORT.split(text)
    ]
    return "".join(_numbered(piece) for pieces in parts for piece in pieces)


def _numbered(text: str) -> str:
    numbers: dict[str, str] = {}
    return _ADDRESS.sub(lambda found: numbers.setdefault(found.group(), f"0x{len(numbers) + 1}"), text)


# -- files of the workspace ----------------------------------------------------------------

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
FALLBACK = "latin-1"
"""Decodes any bytes, and gives them back."""
_TEXT_SUFFIXES = (".py", ".md", ".rst", ".txt", ".toml", ".cfg", ".ini", ".yaml", ".yml", ".json")
_CODECS = frozenset(aliases.values())
"""The usual encodings. Some others that Python knows (punycode, idna) take quadratic time to decode."""


def split_lines(text: str) -> list[str]:
    r"""Lines with their ends, split where Python splits source: at ``\n``, ``\r\n`` and ``\r`` only."""
    return _LINE.findall(text)


@dataclass(frozen=True)
class TextFile:
    """A decoded file. ``encode`` gives exactly its bytes back."""

    path: str
    """Relative to the workspace."""
    text: str = ""
    encoding: str = "utf-8"
    bom: bool = False
    newline: str = "\n"
    r"""The first line end of the file, ``\n`` or ``\r\n``."""

    @property
    def remarks(self) -> list[str]:
        """What is unusual about how the text is stored."""
        remarks = [] if self.encoding == "utf-8" else [self.encoding]
        if self.encoding == FALLBACK:
            remarks = ["not UTF-8, shown as latin-1"]
        return remarks + ["BOM"] * self.bom + ["CRLF line ends"] * (self.newline == "\r\n")

    def adapt(self, text: str) -> str:
        """New text with the line ends of this file."""
        return text.replace("\r\n", "\n").replace("\n", self.newline)

    def with_text(self, text: str) -> "TextFile":
        """The same file with another text."""
        return replace(self, text=text)

    def encode(self) -> bytes:
        """The bytes of the file. Python source is encoded as it declares.

        Raises:
            ToolError: the encoding lacks a character.
        """
        encoding = self.encoding
        if self.path.endswith(".py") and encoding != FALLBACK:
            encoding = _declared(self.text[:400].encode("utf-8", "replace")) or "utf-8"
        try:
            return codecs.BOM_UTF8 * self.bom + self.text.encode(encoding)
        except UnicodeEncodeError as error:
            lacking = ascii(self.text[error.start])
            raise ToolError(f"{self.path} is encoded as {encoding}, which has no {lacking}") from None


def read_text(session: Session, path: str) -> TextFile:
    """Read and decode a file: as it declares (Python source), else as UTF-8, else as Latin-1.

    Raises:
        ToolError: it is a folder, or is not text.
        OSError, ValueError: what the sandbox says about the path.
    """
    shown = relative(session, path)
    try:
        data = session.sandbox.read(path)
    except IsADirectoryError:
        raise ToolError(f"{shown} is a folder; listdir shows what is in it") from None
    if b"\0" in data:
        raise ToolError(f"{shown} is not text: it holds NUL bytes ({len(data)} bytes in all)")
    bom = data.startswith(codecs.BOM_UTF8)
    data = data[len(codecs.BOM_UTF8) * bom :]
    declared = _declared(data) if shown.endswith(".py") else ""
    encoding = next(name for name in (declared, "utf-8", FALLBACK) if name and _fits(name, data))
    text = data.decode(encoding)
    first = text.find("\n")
    return TextFile(shown, text, encoding, bom, "\r\n" if first > 0 and text[first - 1] == "\r" else "\n")


def read_existing(session: Session, path: str) -> TextFile:
    """The same; for a file that does not exist, the ``ToolError`` names those that may have been meant."""
    try:
        return read_text(session, path)
    except (FileNotFoundError, NotADirectoryError):
        raise missing(session, relative(session, path), "file") from None


def _declared(data: bytes) -> str:
    """The encoding that Python source declares, or UTF-8; empty if it is none of the usual ones."""
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    except SyntaxError:
        return ""
    name = normalize_encoding(encoding).lower()
    return encoding if aliases.get(name, name) in _CODECS and _fits(encoding, b"") else ""


def _fits(encoding: str, data: bytes) -> bool:
    """The bytes can be decoded, and encoding the text gives them back."""
    try:
        return data.decode(encoding).encode(encoding) == data
    except (LookupError, ValueError):
        return False


def relative(session: Session, path: str) -> str:
    """A path as the agent should see it: relative to the workspace if it lies in it."""
    workspace = session.sandbox.workspace
    full = posixpath.normpath(posixpath.join(workspace, path))
    return "." if full == workspace else one_line(full.removeprefix(workspace + "/"))


def missing(session: Session, path: str, kind: str) -> ToolError:
    """The error about a missing ``file``, ``folder`` or ``file or folder``, with those that may be meant."""
    kinds = {"file": ("file", "link"), "folder": ("dir",)}.get(kind, ("file", "dir"))
    known = [name for name, found, _ in session.sandbox.listdir(depth=8) if found in kinds]
    namesakes = [name for name in known if posixpath.basename(name) == posixpath.basename(path)]
    near = namesakes or difflib.get_close_matches(path[:200], known, n=3, cutoff=0.6)
    names = [one_line(name) for name in near[:3]]
    hint = f"; did you mean {' or '.join(names)}?" if names else "; listdir shows what there is"
    return ToolError(f"there is no {kind} {path}{hint}")


def sample_files(session: Session) -> list[TextFile]:
    """The first few small text files of the workspace, for examples of calls."""
    samples = []
    for path, kind, size in session.sandbox.listdir(depth=3, limit=60):
        if kind == "file" and 0 < size < 1 << 16 and path.endswith(_TEXT_SUFFIXES):
            try:
                samples.append(read_text(session, path))
            except (OSError, ToolError):
                continue
        if len(samples) == 3:
            break
    return samples
