"""Adapters and libraries from the Hugging Face Hub: ``hf://owner/name[/folder][@revision]``."""

import re
from pathlib import Path

from debug_gym.errors import LibraryError

_ADDRESS = re.compile(
    r"hf://(?P<repo>[\w-][\w.-]*/[\w-][\w.-]*)(?P<folder>(?:/[\w-][\w.-]*)*)(?:@(?P<revision>[\w./-]+))?"
)
_FILES = ("*.json", "*.safetensors")


def is_address(source: str | Path) -> bool:
    """Whether ``source`` names a repository of the Hub rather than a folder."""
    return str(source).startswith("hf:")


def fetch(address: str) -> Path:
    """Download what ``address`` names into the Hub's cache; returns its folder. Only JSON and safetensors.

    Raises:
        LibraryError: the address is malformed, or the Hub does not answer or refuses.
    """
    from huggingface_hub import snapshot_download

    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise LibraryError(f"{address!r} is no address on the Hub: write hf://owner/name[/folder][@revision]")
    inside = match["folder"].strip("/")
    patterns = [f"{inside}/{pattern}" for pattern in _FILES] if inside else list(_FILES)
    try:
        snapshot = snapshot_download(match["repo"], revision=match["revision"], allow_patterns=patterns)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise LibraryError(f"{address} cannot be downloaded: {reason}") from error
    folder = Path(snapshot, inside)
    if not folder.is_dir():
        raise LibraryError(f"{address} cannot be downloaded: the repository has no such folder")
    return folder
