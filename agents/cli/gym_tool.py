"""The tools of the episode for programs that know nothing of MCP: ``gym-tool NAME [ARGUMENTS AS JSON]``.

It runs as a program of its own, in the agent's folder, and imports nothing of ours.
"""

import json
import os
import signal
import sys
import urllib.request
from typing import Any

_USAGE = (
    "gym-tool NAME ['{\"argument\": ...}'] calls a tool of the sandbox on your files as they are. The tools:"
)


def ask(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """One request to the episode's server."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    accepted = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    request = urllib.request.Request(os.environ["MCP_URL"], data=body, headers=accepted)
    with urllib.request.urlopen(request) as reply:
        answer: dict[str, Any] = json.loads(reply.read())
    if "error" in answer:
        sys.exit(f"gym-tool: {answer['error'].get('message', answer['error'])}")
    return dict(answer["result"])


def main(words: list[str]) -> int:
    """Call a tool and print its answer; without a name, print what there is."""
    if not words or words[0] in {"-h", "--help"}:
        print(_USAGE)
        for tool in ask("tools/list", {})["tools"]:
            parameters = json.dumps(tool["inputSchema"].get("properties", {}))
            print(f"\n{tool['name']}: {tool['description']}\n  arguments: {parameters}")
        return 0
    try:
        arguments = json.loads(words[1]) if len(words) > 1 else {}
    except ValueError as error:
        sys.exit(f"gym-tool: the arguments are not JSON: {error}")
    answer = ask("tools/call", {"name": words[0], "arguments": arguments})
    print("\n".join(part.get("text", "") for part in answer["content"]))
    return int(bool(answer.get("isError")))


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as other programs do: gym-tool --help | head
    sys.exit(main(sys.argv[1:]))
