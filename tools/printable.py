"""Text from a sandbox, made harmless: none of it takes over a terminal, hides, or looks like other text."""

import re

_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but \t and \n
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f"  # line separators, marks of text direction
    # Invisible: hyphens, fillers, separators; in the second line notes and tags, which can spell sentences.
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\ud800-\udfff]"  # surrogates, which cannot be encoded
    "|[\u200c\u200d\ufe00-\ufe0f]{3,}"  # joiners and variations of a character: emoji need two in a row
)


def printable(text: str) -> str:
    r"""The text with control and invisible characters (all but ``\n`` and ``\t``) in a visible form.

    Terminal escapes would take over a terminal that shows them; marks of text direction would make code
    look like other code; a model reads what people do not see. Doing it twice changes nothing more.

    >>> printable("\x1b[31mred")
    '\\x1b[31mred'
    """
    return _HARMFUL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    """The same for file names and single lines, which must not spread over several lines."""
    return printable(text).replace("\n", "\\n")
