"""The package index that pip is configured with: which releases a package has, and their sources."""

import hashlib
import json
import os
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import InvalidVersion, Version

from debug_gym.errors import ConfigError, HostError
from debug_gym.mining.environment import newest_pip
from debug_gym.sandbox.archives import unpack
from debug_gym.sandbox.environments import run_python
from debug_gym.task import ArchiveSource

_JSON = "application/vnd.pypi.simple.v1+json"
_DEFAULT = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
_SECONDS = 60
_PAUSES = (1, 4, 10)
NOT_FOUND = 404


@dataclass(frozen=True)
class Release:
    """The source of one version of a package."""

    package: str
    version: str
    uploaded: str
    """Date and time, ISO 8601; empty: the index does not tell."""
    url: str
    sha256: str


def releases(package: str, *, yanked: bool = False) -> list[Release]:
    """The final releases of a package that have a source distribution, oldest first.

    Args:
        package: its name.
        yanked: take those, too, that were taken back.

    Raises:
        ConfigError: the index has no such package.
        HostError: the index cannot be reached, or speaks no JSON.
    """
    name = canonicalize_name(package)
    page = _page(name)
    found: dict[Version, Release] = {}
    for file in page.get("files", []):
        try:
            _, version = parse_sdist_filename(file["filename"])
        except (InvalidSdistFilename, InvalidVersion):
            continue
        if (file.get("yanked") and not yanked) or version.is_prerelease:
            continue
        digest = file.get("hashes", {}).get("sha256", "")
        found[version] = Release(name, str(version), file.get("upload-time", ""), file["url"], digest)
    return [found[version] for version in sorted(found)]


def unpacked(release: Release, target: Path) -> None:
    """Put the files of a release into a folder that does not exist yet.

    Raises:
        HostError: it cannot be had, or is not what the index promised.
        TaskError: the archive is broken.
    """
    with TemporaryDirectory(prefix="debug-gym-") as folder:
        archive = Path(folder, release.url.rpartition("/")[2].partition("#")[0])
        try:
            archive.write_bytes(_read(urllib.request.Request(release.url)))
        except (OSError, ValueError) as error:
            raise HostError(f"{release.package} {release.version} cannot be downloaded: {error}") from None
        if release.sha256 and hashlib.sha256(archive.read_bytes()).hexdigest() != release.sha256:
            raise HostError(f"{release.package} {release.version} is not what the index promised")
        unpack(ArchiveSource(path=archive), target)


def _page(name: str) -> dict[str, Any]:
    request = urllib.request.Request(f"{_index().rstrip('/')}/{name}/", headers={"Accept": _JSON})
    try:
        found: dict[str, Any] = json.loads(_read(request))
    except urllib.error.HTTPError as error:
        if error.code == NOT_FOUND:
            raise ConfigError(f"the package index has no {name}") from None
        raise HostError(f"the package index does not answer: {error}") from None
    except OSError as error:
        raise HostError(f"the package index cannot be reached: {error}") from None
    except ValueError:
        raise HostError("the package index does not speak JSON (PEP 691): set another one for pip") from None
    return found


def _read(request: urllib.request.Request) -> bytes:
    """What is at an address, tried again where the network fails for a moment."""
    for pause in _PAUSES:
        try:
            return _read_once(request)
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(pause)
    return _read_once(request)


def _read_once(request: urllib.request.Request) -> bytes:
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
        content: bytes = answer.read()
        return content


def _index() -> str:
    """The index's address: pip's setting, else pip's own default."""
    if chosen := os.environ.get("PIP_INDEX_URL"):
        return chosen
    python = newest_pip()
    settings = run_python(python, "-m", "pip", "config", "list")
    named = re.search(r"^(?:global|install)\.index-url='(.+)'$", settings, re.MULTILINE)
    return named[1] if named else run_python(python, "-c", _DEFAULT).strip()
