"""Under which licence a repository stands, as its own files say: an SPDX identifier, or nothing."""

import re
import tomllib
from pathlib import Path

_CLASSIFIERS = {
    "MIT License": "MIT",
    "MIT No Attribution License": "MIT-0",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "ISC License": "ISC",
    "Mozilla Public License 2.0": "MPL-2.0",
    "The Unlicense": "Unlicense",
    "zlib/libpng License": "Zlib",
    "GNU General Public License v3": "GPL-3.0",
    "GNU General Public License v2": "GPL-2.0",
    "GNU Lesser General Public License v3": "LGPL-3.0",
}
_TEXTS = (
    ("Apache-2.0", r"Apache License\s+Version 2\.0"),
    ("MPL-2.0", r"Mozilla Public License,? (?:Version|v\.?) 2\.0"),
    ("AGPL-3.0", r"GNU AFFERO GENERAL PUBLIC LICENSE\s+Version 3"),
    ("LGPL-3.0", r"GNU LESSER GENERAL PUBLIC LICENSE\s+Version 3"),
    ("LGPL-2.1", r"GNU LESSER GENERAL PUBLIC LICENSE\s+Version 2\.1"),
    ("GPL-3.0", r"GNU GENERAL PUBLIC LICENSE\s+Version 3"),
    ("GPL-2.0", r"GNU GENERAL PUBLIC LICENSE\s+Version 2"),
    ("MIT", r"Permission is hereby granted, free of charge, to any person obtaining a\s+copy"),
    ("ISC", r"Permission to use, copy, modify, and(?:/or)? distribute this software for any"),
    ("BSD-3-Clause", r"Redistribution and use in source and binary forms[\s\S]*Neither the names? of"),
    ("BSD-2-Clause", r"Redistribution and use in source and binary forms"),
    ("PSF-2.0", r"PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2"),
    ("Unlicense", r"This is free and unencumbered software released into the public domain"),
    ("Zlib", r"This software is provided 'as-is', without any express or implied"),
)
_NAMES = re.compile(r"^(?:licen[cs]e|copying|unlicense)", re.IGNORECASE)
_SPDX = re.compile(r"[A-Za-z0-9.+-]+(?: (?:OR|AND|WITH) [A-Za-z0-9.+-]+)*")


def licence_of(root: Path) -> str:
    """The licence of the repository in a folder; empty: nothing tells it."""
    return _declared(root) or _from_text(root) or _from_classifiers(root)


def _declared(root: Path) -> str:
    """What ``pyproject.toml`` calls it, where that is an SPDX identifier."""
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
    except (OSError, ValueError):
        return ""
    named = project.get("license") if isinstance(project, dict) else None
    named = named.get("text") if isinstance(named, dict) else named
    known = {name for name, _ in _TEXTS} | set(_CLASSIFIERS.values())
    if not isinstance(named, str) or not _SPDX.fullmatch(named):
        return ""
    return named if any(part in known for part in re.split(r" (?:OR|AND|WITH) ", named)) else ""


def _from_text(root: Path) -> str:
    for path in sorted(root.iterdir()):
        if path.is_file() and _NAMES.match(path.name):
            text = path.read_text(encoding="utf-8", errors="replace")
            for name, pattern in _TEXTS:
                if re.search(pattern, text, re.IGNORECASE):
                    return name
    return ""


def _from_classifiers(root: Path) -> str:
    for name in ("pyproject.toml", "setup.cfg", "setup.py", "PKG-INFO"):
        path = root / name
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        for classifier, licence in _CLASSIFIERS.items():
            if f":: {classifier}" in text:
                return licence
    return ""
