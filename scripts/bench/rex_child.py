"""Run by a Python that has swe-rex: times `true` in its persistent bash, once for each line on stdin."""

import asyncio
import sys
import time

from swerex.deployment.local import LocalDeployment
from swerex.runtime.abstract import BashAction, CreateBashSessionRequest


async def main() -> None:
    deployment = LocalDeployment()
    await deployment.start()
    await deployment.runtime.create_session(CreateBashSessionRequest())
    print("ready", flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        seen = await deployment.runtime.run_in_session(BashAction(command="true"))
        elapsed = time.perf_counter() - begin
        print(f"seconds {elapsed}" if seen.exit_code == 0 else f"exit code {seen.exit_code}", flush=True)
    await deployment.stop()


asyncio.run(main())
