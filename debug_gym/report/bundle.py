"""The page's scripts in one: ES modules are joined in the order of their imports, with no build step."""

import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"
_IMPORT = re.compile(r'^import [^;]+ from "\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|class|const|let)", re.MULTILINE)


def bundle(entry: str) -> str:
    """A module and all that it imports, as the text of one module.

    All of them share one scope, so a name may be declared only once at the top of all files (a browser
    refuses the page otherwise), and imports must not rename.
    """
    parts: dict[str, str] = {}

    def add(name: str) -> None:
        if name in parts:
            return
        source = (STATIC / name).read_text(encoding="utf-8")
        parts[name] = ""  # a cycle of imports ends here
        for imported in _IMPORT.findall(source):
            add(imported)
        del parts[name]  # to come after what it imports
        parts[name] = _EXPORT.sub("", _IMPORT.sub("", source)).strip()

    add(entry)
    return "\n\n".join(f"// {name}\n{source}" for name, source in parts.items()) + "\n"
