"""An environment that is played on a server of ``debug-gym http``, on this machine or another one."""

import os
import time
from typing import Any, Self

import gymnasium
import httpx2

from debug_gym.episode import InvalidToolCallError, ToolCall
from debug_gym.errors import ConfigError, DebugGymError, HostError
from debug_gym.spaces import ToolCalls, Unicode

VARIABLE = "DEBUG_GYM_HTTP_TOKEN"
"""Of the environment: the token, where none is given."""
TRIES = 4
"""How often a request is sent whose connection breaks."""


class RemoteError(HostError):
    """The server cannot be reached, or has failed."""


class RemoteRefusedError(DebugGymError):
    """The server did not do what it was asked for; ``status`` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class RemoteEnv(gymnasium.Env[str, Any]):
    """As ``DebugGymEnv``, with sandboxes, tools and judge on a server.

    Observations, rewards and ``info`` are the same; at the end of an episode ``info`` has the ``patch`` as
    well. A step whose reply is lost on the way is asked for again and never played twice.

    Args:
        url: the server's address, such as ``http://127.0.0.1:8765``.
        task: play only this one; None: each reset draws one.
        token: what the server wants as a bearer token; None: the environment variable DEBUG_GYM_HTTP_TOKEN.
        timeout: seconds that a call may take.
        patience: seconds to wait for a place on a server that is full.
        render_mode: ``ansi`` (``render`` returns the last exchange as text) or None.

    Raises:
        RemoteError: the server cannot be reached.
        RemoteRefusedError: it wants another token.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012 - gymnasium's own shape

    def __init__(
        self,
        url: str,
        *,
        task: str | None = None,
        token: str | None = None,
        timeout: float = 600.0,
        patience: float = 60.0,
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ConfigError(f"render_mode is 'ansi' or None, not {render_mode!r}")
        token = token if token is not None else os.environ.get(VARIABLE)
        self.url, self.task, self.render_mode = url.rstrip("/"), task, render_mode
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout, self._patience = timeout, patience
        self._client = self._connect()
        self.session: str | None = None
        """The session's name on the server; None before the first reset and after ``close``."""
        self._steps, self._last = 0, ""
        try:
            self.served: dict[str, Any] = self._ask("GET", "/")
            """What the server says about itself: its tasks, tools and limits."""
        except BaseException:
            self._client.close()
            raise
        self.observation_space = Unicode()
        self.action_space = self._calls()

    # -- gymnasium ---------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: decides which task is drawn.
            options: ``{"task": id}`` names it.

        Raises:
            ConfigError: there is another option.
            RemoteError: the server cannot be reached, or has failed.
            RemoteRefusedError: there is no such task, or no place in time.
        """
        super().reset(seed=seed)
        if seed is not None:
            self.action_space.seed(seed)
        for name in options or {}:
            if name != "task":
                raise ConfigError(f"there is no option {name!r} of reset: it takes 'task'")
        if seed is None:
            seed = int(self.np_random.integers(2**31))
        wanted = {"task": (options or {}).get("task", self.task), "seed": seed}
        told = None
        if self.session is not None:
            try:
                told = self._ask("POST", f"/sessions/{self.session}/reset", wanted)
            except RemoteRefusedError as error:
                if error.status != 404:  # its lease has expired
                    raise
        return self._begun(told or self._ask("POST", "/sessions", wanted))

    def step(self, action: ToolCall | dict[str, Any] | str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do one tool call. Raises as ``reset``, or ``gymnasium.error.ResetNeeded``: there is no episode."""
        if self.session is None:
            raise gymnasium.error.ResetNeeded("there is no episode: call reset() first")
        sent = action.model_dump() if isinstance(action, ToolCall) else action
        try:
            told = self._ask(
                "POST", f"/sessions/{self.session}/step", {"action": sent, "number": self._steps}
            )
        except RemoteRefusedError as error:
            if error.status == 410:
                raise gymnasium.error.ResetNeeded(str(error)) from None
            raise
        self._steps += 1
        self._last = f"{_shown(action)}\n{told['observation']}"
        return told["observation"], told["reward"], told["terminated"], told["truncated"], told["info"]

    def render(self) -> Any:
        """The last exchange as text, in the mode ``ansi``."""
        return self._last if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Let go of the session. Closing twice is fine, and so is a server that is gone."""
        session, self.session = self.session, None
        try:
            if session is not None:
                self._client.delete(f"/sessions/{session}")
        except httpx2.HTTPError:
            pass  # its lease ends there
        finally:
            self._client.close()

    # -- beyond gymnasium -----------------------------------------------------------------

    def judge(self) -> dict[str, Any]:
        """End the episode as it stands: its ``result`` and its ``patch``. Raises as ``step``."""
        if self.session is None:
            raise gymnasium.error.ResetNeeded("there is no episode: call reset() first")
        return self._ask("POST", f"/sessions/{self.session}/finish")

    def fork(self) -> Self:
        """An independent copy of the episode as it stands, with a session of its own. Raises as ``step``."""
        if self.session is None:
            raise gymnasium.error.ResetNeeded("there is no episode: call reset() first")
        told = self._ask("POST", f"/sessions/{self.session}/fork")
        forked = object.__new__(type(self))
        forked.__dict__.update(self.__dict__)
        forked._client, forked.action_space = forked._connect(), forked._calls()
        forked.session, forked._steps = told["session"], told["steps"]
        return forked

    def __getstate__(self) -> dict[str, Any]:
        """For another process; a live episode stays with this one.

        Raises:
            ConfigError: there is one.
        """
        if self.session is not None:
            raise ConfigError("a live episode cannot be pickled: fork() copies it, close() ends it")
        return {**self.__dict__, "_client": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._client = self._connect()

    # -- inside -------------------------------------------------------------------------------

    def _connect(self) -> httpx2.Client:
        try:
            return httpx2.Client(base_url=self.url, headers=self._headers, timeout=self._timeout)
        except (httpx2.InvalidURL, ValueError) as error:
            raise ConfigError(f"{self.url!r} is no address of a server: {error}") from None

    def _calls(self) -> ToolCalls:
        return ToolCalls(self.served["tools"], lambda call: True, lambda name: ())

    def _begun(self, told: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        self.session, self._steps = told["session"], 0
        self._last = told["observation"]
        return told["observation"], {**told["info"], "tools": self.served["tools"]}

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        began = time.monotonic()
        while True:
            reply = self._send(method, path, body)
            if reply.status_code == 429:
                pause, until = float(reply.headers.get("retry-after", "1")), began + self._patience
            elif _is_busy(reply):  # with a step whose connection broke: its reply is kept for us
                pause, until = 0.2, began + self._timeout
            else:
                break
            if time.monotonic() >= until:
                break
            time.sleep(min(pause, max(0.0, until - time.monotonic())))
        if reply.is_success:
            told: dict[str, Any] = reply.json()
            return told
        message = _message(reply)
        if reply.status_code >= 500:
            raise RemoteError(f"{self.url} has failed: {message}")
        raise RemoteRefusedError(reply.status_code, message)

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> httpx2.Response:
        """One request. What is safe to send twice is sent again where the connection breaks."""
        again = method == "GET" or path.endswith(("/step", "/finish"))
        for left in reversed(range(TRIES if again else 1)):
            try:
                return self._client.request(method, path, json=body)
            except httpx2.UnsupportedProtocol as error:
                raise ConfigError(f"{self.url!r} is no address of a server: {error}") from None
            except httpx2.TimeoutException:
                raise RemoteError(f"{self.url} did not answer within {self._timeout:g} s") from None
            except httpx2.TransportError as error:
                if not left:
                    said = str(error) or type(error).__name__
                    raise RemoteError(
                        f"{self.url} cannot be reached ({said}): is  debug-gym http  running there?"
                    ) from None
                time.sleep(0.2)
        raise AssertionError  # the last try has returned or raised


def _is_busy(reply: httpx2.Response) -> bool:
    return reply.status_code == 409 and reply.json()["error"]["type"] == "BusyError"


def _message(reply: httpx2.Response) -> str:
    try:
        return str(reply.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"status {reply.status_code}"


def _shown(action: ToolCall | dict[str, Any] | str) -> str:
    try:
        call = ToolCall.parse(action)
    except InvalidToolCallError:
        return "invalid call"
    return f"{call.name} {call.arguments}"
