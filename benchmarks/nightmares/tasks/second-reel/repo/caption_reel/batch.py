"""Whole reels."""

from caption_reel.subtitles import write


def convert(sheet):
    """The subtitles of a sheet."""
    return write(sheet.cues())


def convert_all(sheets):
    """Name of the reel to its subtitles."""
    return {sheet.name: convert(sheet) for sheet in sheets}
