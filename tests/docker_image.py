"""An image of the kind that SWE-bench's are, made without a registry: the files of a few Debian packages of
this machine, an interpreter where conda would have it, and a repository in ``/testbed``."""

import io
import os
import re
import subprocess
import tarfile
from pathlib import Path

PACKAGES = """bash coreutils findutils grep sed gawk tar git diffutils patch procps libc-bin libssl3 libffi8 libsqlite3-0
libbz2-1.0 liblzma5 libreadline8 zlib1g libncursesw6 libexpat1 libuuid1""".split()
WITHOUT = {"perl", "perl-modules-5.36", "libperl5.36", "debconf", "dpkg"}
PREFIX = "opt/miniconda3/envs/testbed"
_UNUSED = re.compile(r"/(test|tests|idlelib|tkinter|ensurepip|config-3[^/]*|__pycache__|lib2to3)(/|$)|\.a$")
_DOCS = ("/usr/share/doc", "/usr/share/man", "/usr/share/locale", "/usr/share/info", "/usr/share/lintian")


def make_image(client, name, prefix, installed, files):
    """Import an image.

    Args:
        client: of the daemon.
        name: ``repository:tag``.
        prefix: of the interpreter, with pytest in it; it is found under ``/opt/miniconda3/envs/testbed``.
        installed: where the interpreter was installed, which is where it looks for its shared library.
        files: path in the image to text.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder, mode in (
            ("tmp", 0o1777),
            ("proc", 0o755),
            ("sys", 0o755),
            ("dev", 0o755),
            ("root", 0o755),
        ):
            _folder(archive, folder, mode)
        for link in ("bin", "sbin", "lib", "lib64"):
            _link(archive, link, f"usr/{link}")
        for path in _package_files():
            archive.add(path, path[1:], recursive=False)
        archive.add("/etc/ld.so.cache", "etc/ld.so.cache")
        archive.add(prefix, PREFIX, filter=lambda entry: None if _UNUSED.search(entry.name) else entry)
        _link(archive, str(installed)[1:], f"/{PREFIX}")
        for path, text in {
            "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n",
            "etc/group": "root:x:0:\n",
            **files,
        }.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    repository, _, tag = name.partition(":")
    path = f"PATH=/{PREFIX}/bin:/usr/local/bin:/usr/bin:/bin"
    client.api.import_image_from_data(buffer.getvalue(), repository, tag, changes=[f"ENV {path}"])


def _folder(archive, path, mode):
    entry = tarfile.TarInfo(path)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    archive.addfile(entry)


def _link(archive, path, target):
    entry = tarfile.TarInfo(path)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    archive.addfile(entry)


def _package_files():
    """Files of the packages and of what they depend on, each once and by its real folder."""
    listing = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package}\t${Pre-Depends}, ${Depends}\n"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    needs = {}
    for line in listing.splitlines():
        package, _, wanted = line.partition("\t")
        names = (re.split(r"[ (:|]", part.strip())[0] for part in wanted.split(","))
        needs[package] = [name for name in names if name]
    chosen, todo = set(), list(PACKAGES)
    while todo:
        package = todo.pop()
        if package in needs and package not in chosen | WITHOUT:
            chosen.add(package)
            todo += needs[package]
    listed = subprocess.run(["dpkg", "-L", *chosen], capture_output=True, text=True, check=True).stdout
    found = {
        os.path.join(os.path.realpath(Path(path).parent), Path(path).name) for path in listed.splitlines()
    }
    return sorted(
        path
        for path in found
        if path.startswith(("/usr/", "/etc/")) and not path.startswith(_DOCS) and os.path.lexists(path)
    )
