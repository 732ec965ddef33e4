"""The loop of an agent over a session. Every other player's loop is as short."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from threading import Event
from typing import Any

import gymnasium

from debug_gym.agents.base import Agent, Briefing
from debug_gym.episode import Observation, Step, Trajectory
from debug_gym.errors import ConfigError
from debug_gym.session.attempt import AbandonedError, Attempt, Recorder
from debug_gym.session.session import AttemptSession, Passing
from debug_gym.session.setup import Setup
from debug_gym.store.records import Result
from debug_gym.store.writer import StorageError


def drive(session: AttemptSession, agent: Agent) -> Result:
    """Let an agent play a session that has not begun to its end.

    Args:
        session: it stays live where the agent raises.
        agent: who plays.

    Raises:
        DebugGymError: as the session's methods raise it; whatever the agent raises passes as well.
    """
    briefing = session.begin()
    try:
        return _drive(session, agent, briefing)
    finally:
        agent.close()


def _drive(session: AttemptSession, agent: Agent, briefing: Briefing) -> Result:
    agent.start(replace(briefing, task=session.attempt.task) if agent.sees_gold else briefing)
    observation = Observation.model_construct(text=briefing.observation, data=briefing.info)  # all ours
    while session.live and (decision := agent.act(observation)) is not None:
        step = session.step(
            decision.call, thought=decision.thought, usage=decision.usage, replies=decision.replies
        )
        observation = step.observation
    return session.finish(agent.stop_reason, agent.unbilled(), agent.unplayed())


def play(
    env: gymnasium.Env[str, Any],
    agent: Agent,
    *,
    seed: int | None = None,
    attempt: int = 0,
    on_step: Callable[[Step], None] = lambda step: None,
) -> Trajectory:
    """Play one episode to its end and return everything that happened. The environment stays open.

    Args:
        env: an environment of debug-gym, also inside gymnasium's wrappers.
        agent: who plays.
        seed: of the episode; it decides which task is drawn.
        attempt: its number, for the trajectory.
        on_step: called after each step.

    Raises:
        DebugGymError: the infrastructure failed; whatever the agent raises passes as well.
    """
    with AttemptSession(
        env, seed=seed, agent=agent.name, on_step=lambda step, tests: on_step(step), keep_open=True
    ) as session:
        drive(session, agent)
        return session.trajectory.model_copy(update={"attempt": attempt})


def play_attempt(
    setup: Setup,
    attempt: Attempt,
    recorder: Recorder,
    *,
    on_step: Callable[[Step, Passing], None] = lambda step, tests: None,
    stop: Event | None = None,
    turn: AbstractContextManager[Any] | None = None,
) -> Result:
    """Let the agent of a configuration play an attempt. Whatever fails is a result, of the status ``error``.

    Args:
        setup: makes the agent and the environment.
        attempt: which task, which try.
        recorder: where everything is stored.
        on_step: see ``AttemptSession``.
        stop: once it is set, the attempt is abandoned.
        turn: held while the environment works, and not while the agent thinks.

    Raises:
        AbandonedError: it was stopped before the episode ended.
        ConfigError: the agent cannot be played with this configuration, which all attempts share.
        StorageError: the attempt cannot be stored.
    """
    agent: Agent | None = None
    with setup.session(attempt, recorder, stop=stop, turn=turn, on_step=on_step) as session:
        try:
            agent = setup.agent()
            return drive(session, agent)
        except (ConfigError, StorageError, AbandonedError):
            raise
        except Exception as error:  # whatever an agent throws: it ends this attempt, not the run
            if session.left:
                raise AbandonedError from error
            usage, replies = (agent.unbilled(), agent.unplayed()) if agent else ({}, ())
            return session.fail(error, usage, replies)
