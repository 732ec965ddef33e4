"""What the help of ``debug-gym run`` says is what the settings are."""

import re

import typer

from debug_gym.cli import app
from debug_gym.cli.run import NO_SETTINGS
from debug_gym.runs.config import RunConfig


def parameters():
    return {parameter.name: parameter for parameter in typer.main.get_command(app).commands["run"].params}


def test_every_option_of_run_is_a_setting_or_makes_one():
    names = {name for name in parameters() if name != "help"}
    assert names - set(NO_SETTINGS) == set(RunConfig.model_fields)


def test_the_defaults_that_the_help_names_are_those_of_the_settings():
    named = {
        name: found[1]
        for name, parameter in parameters().items()
        if (found := re.search(r"\[default: ([\w.]+)\]", getattr(parameter, "help", None) or ""))
    }
    assert {"max_steps", "time_limit", "attempts", "seed", "sandbox"} <= named.keys()
    for name, default in named.items():
        if name in RunConfig.model_fields and name != "processes":
            assert default == str(RunConfig.model_fields[name].default).removesuffix(".0"), name
