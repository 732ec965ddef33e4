"""What a model on somebody else's machine could read in a repository and looks like a secret."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from debug_gym.task import DirectorySource

MOST_BYTES = 1 << 20
"""Larger files are not searched: they are data."""
MOST_SHOWN = 20
_NAMES = re.compile(
    r"(?i)^(\.env(\..+)?|\.netrc|\.pgpass|\.npmrc|\.pypirc|credentials(\.\w+)?|id_(rsa|dsa|ecdsa|ed25519)|"
    r".*\.(pem|key|p12|pfx|keystore|kdbx)|secrets?\.(ya?ml|json|toml|ini|env))$"
)
_TEMPLATES = re.compile(r"(?i)\.(example|sample|template|dist|pub)$")
_CONTENT = re.compile(
    rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"
    rb"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_\w{22,}|\bglpat-[\w-]{20,}"
    rb"|\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}|\bxox[abprs]-[\w-]{20,}|\bAIza[\w-]{35}\b|\bhf_[A-Za-z]{34}\b"
    rb"|\b[rs]k_live_\w{16,}|\bnpm_[A-Za-z0-9]{36}\b"
    rb"|(?i:secret|api_?key|passw(?:or)?d|auth_?token)\w*[\"']?\s*[:=]\s*[\"'](?=[^\"']*\d)[\w+/=-]{20,}[\"']"
    rb"|\b\w+://[^/\s:@\"'{$]+:[^/\s:@\"'{$]{8,}@(?!localhost|127\.)[\w.-]+"
)
_THIS_MACHINE = ("localhost", "127.", "::1", "0.0.0.0", "host.docker.internal")


@dataclass(frozen=True)
class Sighting:
    """A file that looks as if it held a secret."""

    path: str
    why: str
    """In a few words; never the secret itself."""


def sightings(source: DirectorySource) -> Iterator[Sighting]:
    """The files of a repository that look like secrets, of those that go into the sandbox, by path."""
    for folder, folders, files in os.walk(source.path):
        left_out = source.left_out(folder, [*folders, *files])
        folders[:] = sorted(set(folders) - left_out)
        for name in sorted(set(files) - left_out):
            path = Path(folder, name)
            if why := _looks_like(path):
                yield Sighting(path.relative_to(source.path).as_posix(), why)


def is_remote(base_url: str | None) -> bool:
    """Whether a model's server is on another machine: no address stands for OpenAI."""
    host = urlsplit(base_url).hostname or "" if base_url is not None else "api.openai.com"
    return not host.startswith(_THIS_MACHINE)


def _looks_like(path: Path) -> str:
    if _NAMES.match(path.name) and not _TEMPLATES.search(path.name):
        return "its name"
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES:
            return ""
        return "a key or token in it" if _CONTENT.search(path.read_bytes()) else ""
    except OSError:
        return ""
