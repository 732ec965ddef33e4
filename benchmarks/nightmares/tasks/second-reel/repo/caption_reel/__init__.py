"""From cue sheets to subtitles."""

from caption_reel.batch import convert, convert_all
from caption_reel.sheets import Sheet

__all__ = ["Sheet", "convert", "convert_all"]
