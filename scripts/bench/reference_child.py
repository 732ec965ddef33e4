"""Run by a Python that has the reference implementation: plays calls in its local terminal, and times them.

One JSON object a line on stdin: ``{"reset": true}`` or ``{"calls": [[tool, arguments], ...]}``; one a line on
stdout: milliseconds, and the last observation.
"""

import json
import logging
import os
import sys
import time
from typing import Any

from debug_gym.gym.envs.local import LocalEnv
from debug_gym.gym.tools.tool import ToolCall
from debug_gym.gym.tools.toolbox import Toolbox

logging.disable(logging.CRITICAL)
TOOLS = ("view", "edit", "bash", "listdir", "eval", "pdb")


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is written
    env = LocalEnv(path=sys.argv[1], entrypoint="python -m pytest -sq .")
    for tool in TOOLS:
        wanted = {"persistent_breakpoints": False, "auto_list": False} if tool == "pdb" else {}
        env.add_tool(Toolbox.get_tool(tool, **wanted))
    eval_tool = env.get_tool("eval")
    eval_tool.on_env_reset = lambda *_, **__: None  # a reset of ours runs no tests either
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        begin = time.perf_counter()
        if "calls" in request:
            for name, arguments in request["calls"]:
                infos = env.step(ToolCall(id="1", name=name, arguments=arguments))
        else:
            infos = env.reset()
        elapsed = time.perf_counter() - begin
        said = infos.step_observation.observation
        print(json.dumps({"ms": elapsed * 1000, "said": said}), file=answers, flush=True)


main()
