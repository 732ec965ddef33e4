"""Many environments stepped at once by threads: a step waits for a sandbox, not for Python."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import gymnasium
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from debug_gym.env import DebugGymEnv


class _Ahead(gymnasium.Wrapper[str, Any, str, Any]):
    """Does its next ``reset`` or ``step`` on a thread, and hands out the result when it is asked for it."""

    def __init__(self, env: gymnasium.Env[str, Any], pool: ThreadPoolExecutor) -> None:
        super().__init__(env)
        self._pool = pool
        self._future: Future[Any] | None = None

    def begin(self, call: Callable[..., Any], *args: Any, **options: Any) -> None:
        self._future = self._pool.submit(call, *args, **options)

    def _result(self, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        future, self._future = self._future, None
        return future.result() if future is not None else call(*args, **options)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        return self._result(self.env.reset, seed=seed, options=options)

    def step(self, action: Any) -> Any:
        return self._result(self.env.step, action)


class ThreadVectorEnv(SyncVectorEnv):
    """A ``gymnasium.vector.VectorEnv`` whose environments step at the same time, in threads of one process.

    ``gymnasium.make_vec("debug_gym/Nightmares-v0", num_envs=8)`` gives one. Semantics are those of
    ``SyncVectorEnv``, autoreset included.

    Args:
        num_envs: how many environments.
        autoreset_mode: see gymnasium; default: reset in the step after the last.
        options: for each ``DebugGymEnv``.
    """

    def __init__(
        self, num_envs: int, autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP, **options: Any
    ) -> None:
        self._pool = ThreadPoolExecutor(max_workers=num_envs, thread_name_prefix="debug-gym")
        super().__init__(
            [lambda: _Ahead(DebugGymEnv(**options), self._pool) for _ in range(num_envs)],
            autoreset_mode=autoreset_mode,
            copy=False,
        )

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> Any:
        """Reset all environments (or those of ``options["reset_mask"]``) at the same time."""
        seeds = (
            seed
            if isinstance(seed, list)
            else [None if seed is None else seed + i for i in range(self.num_envs)]
        )
        mask = (options or {}).get("reset_mask")
        inner = {key: value for key, value in (options or {}).items() if key != "reset_mask"} or None
        for index, env in enumerate(self.envs):
            if (mask is None or mask[index]) and index < len(seeds):
                assert isinstance(env, _Ahead)
                env.begin(env.env.reset, seed=seeds[index], options=inner)
        return super().reset(seed=seed, options=options)

    def step(self, actions: Any) -> Any:
        """Step all environments at the same time; those whose episode ended are reset in place of it."""
        for env, action, ended in zip(self.envs, actions, self._autoreset_envs, strict=True):
            assert isinstance(env, _Ahead)
            if ended and self.autoreset_mode == AutoresetMode.NEXT_STEP:
                env.begin(env.env.reset)
            elif not ended:
                env.begin(env.env.step, action)
        return super().step(actions)

    def close_extras(self, **options: Any) -> None:
        """Close the environments and the threads."""
        super().close_extras(**options)
        self._pool.shutdown()
