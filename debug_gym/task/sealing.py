"""Sources that hold a bug's patch, sealed: an agent's view of a task starts sandboxes and shows no patch.

The patch stays in this process, outside of everything that an agent is given.
"""

import hashlib

from debug_gym.task.sources import SealedSource, Source

_whole: dict[str, Source] = {}


def sealed(source: Source) -> Source:
    """A source that tells nothing of the patch, if there is one in it."""
    if getattr(source, "bug_patch", None) is None:
        return source
    key = hashlib.sha256(source.model_dump_json().encode()).hexdigest()
    _whole[key] = source
    return SealedSource(where=source.where, key=key)


def opened(source: Source) -> Source:
    """What a source was before it was sealed. One that another process has sealed stays as it is."""
    return _whole.get(source.key, source) if isinstance(source, SealedSource) else source
