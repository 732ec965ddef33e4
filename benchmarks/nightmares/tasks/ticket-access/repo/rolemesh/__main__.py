"""Print the audit matrix of a policy file."""

import sys
from pathlib import Path

from .audit import audit
from .parser import parse_policy


def main(arguments):
    if len(arguments) != 1:
        print("usage: python -m rolemesh POLICY", file=sys.stderr)
        return 2
    print(audit(parse_policy(Path(arguments[0]).read_text(encoding="utf-8"))).render())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
