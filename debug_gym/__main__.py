"""``python -m debug_gym``: the ``debug-gym`` command."""

from debug_gym.cli import main

main()
