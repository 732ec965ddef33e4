"""One attempt at a task: whoever plays, an agent, a person or a program far away, plays through it."""

from debug_gym.session.attempt import AbandonedError, Attempt, EpisodeOverError, Recorder
from debug_gym.session.playing import drive, play, play_attempt
from debug_gym.session.session import AttemptSession, Passing
from debug_gym.session.setup import AttemptConfig, Setup

__all__ = [
    "AbandonedError",
    "Attempt",
    "AttemptConfig",
    "AttemptSession",
    "EpisodeOverError",
    "Passing",
    "Recorder",
    "Setup",
    "drive",
    "play",
    "play_attempt",
]
