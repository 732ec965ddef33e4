"""Patches in the format in which SWE-bench takes them."""

import json

from debug_gym.store.records import Run


def predictions(run: Run) -> dict[int, str]:
    """Attempt number to the patches of all tasks that were judged in it, one JSON object a line."""
    config = run.manifest.config
    label = "-".join(config[key] for key in ("agent", "model") if config.get(key))
    files: dict[int, str] = {}
    for result in run.results():
        end = run.end(*result.key) if result.status != "error" else None
        if end is not None:
            line = {"instance_id": result.task, "model_name_or_path": label, "model_patch": end.patch}
            files[result.attempt] = files.get(result.attempt, "") + json.dumps(line) + "\n"
    return files
