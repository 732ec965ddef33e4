import pytest

from debug_gym.errors import ConfigError
from debug_gym.runs.config import RunConfig, load_config, parse_options, parse_value

NAMED = {"benchmark": "nightmares", "agent": "repair"}


def test_named_options_win_over_settings_and_settings_over_earlier_ones(tmp_path):
    file = tmp_path / "night.yaml"
    file.write_text(
        "benchmark: other\nagent: llm\nmax_steps: 10\nseed: 4\nagent_options: {window: 3, history: full}\n"
    )
    config = load_config(
        [str(file), "max_steps=20", "agent_options.window=9"], {"agent": "repair", "seed": None}
    )
    assert (config.benchmark, config.agent, config.max_steps, config.seed) == ("other", "repair", 20, 4)
    assert config.agent_options == {"window": 9, "history": "full"}


def test_named_mappings_are_merged_key_by_key():
    config = load_config(["agent_options.window=9"], {**NAMED, "agent_options": {"history": "full"}})
    assert config.agent_options == {"window": 9, "history": "full"}


def test_lists_may_be_given_as_text_with_commas():
    config = load_config([], {**NAMED, "tools": "view, eval", "tasks": ["a,b", "c*"]})
    assert config.tools == ("view", "eval")
    assert config.tasks == ("a", "b", "c*")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("1e-4", 1e-4),
        ("true", True),
        ("null", None),
        ('"3"', "3"),
        ("[view, eval]", ["view", "eval"]),
        ("{a: 1}", {"a": 1}),
        ("Crash: it fails", "Crash: it fails"),
        ("no", "no"),
        ("[unclosed", "[unclosed"),
        ("", ""),
    ],
)
def test_values_are_json_or_bracketed_yaml_or_text(text, value):
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


def test_options_keep_what_follows_the_first_equals_sign():
    assert parse_options(["test-command=make A=1", "n=2"], "-b") == {"test_command": "make A=1", "n": 2}


@pytest.mark.parametrize(
    ("settings", "options", "message"),
    [
        (["max_stepz=3"], NAMED, r"no setting named 'max_stepz': did you mean 'max_steps'\?"),
        (["xyzzy=3"], NAMED, r"no setting named 'xyzzy': known: benchmark, "),
        (["max_steps=soon"], NAMED, r"max_steps: .*integer.*'soon'"),
        (["max_steps=0"], NAMED, r"max_steps: .*greater than 0, not 0"),
        (["time_limit=Infinity"], NAMED, r"time_limit: .*finite"),
        ([], {"benchmark": "nightmares"}, r"agent is not set"),
        (["missing.yaml"], NAMED, r"missing.yaml: No such file"),
        ([], {**NAMED, "agent_options": {"api_key": "sk-1"}}, r"api_key would be stored in config.json"),
        ([], {**NAMED, "agent_options": {"extra": {"hf-token": "sk-1"}}}, r"extra\.hf-token would be stored"),
        ([], {**NAMED, "agent_options": {"base_url": "http://a:sk-1@host"}}, r"base_url would be stored"),
        ([], {**NAMED, "benchmark_options": {"path": "https://sk-1@host/r.git"}}, r"path would be stored"),
        ([], {**NAMED, "base_url": "https://me:sk-1@host/v1"}, r"base_url: the password"),
        ([], {**NAMED, "mcp": ["http://host/mcp?token=sk-1"]}, r"mcp: the password or token"),
        ([], {**NAMED, "mcp": ["http://host/mcp?a=b&key=sk-1"]}, r"mcp: the password or token"),
        ([], {**NAMED, "mcp": ["server --api-key sk-1"]}, r"mcp: the password or token"),
        ([], {**NAMED, "mcp": ["env GITHUB_TOKEN=sk-1 server"]}, r"mcp: the password or token"),
    ],
)
def test_what_is_wrong_is_one_sentence(settings, options, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(settings, options)
    assert "\n" not in str(caught.value)
    assert "sk-1" not in str(caught.value)


def test_what_only_resembles_a_secret_is_taken():
    config = load_config(
        [],
        {
            **NAMED,
            "agent_options": {"token_limit": 9, "extra": {"max_tokens": 1}, "base_url": "http://host/v1"},
            "benchmark_options": {"problem": "the parser reads token=3 from http://a:b@c"},
            "mcp": ["server --token-file x --tokens 3", "ssh git@host serve", "http://host/mcp?session=1"],
        },
    )
    assert len(config.mcp) == 3


@pytest.mark.parametrize(
    ("text", "message"), [("a: [1", "is not valid YAML"), ("- a\n- b\n", "must hold a mapping")]
)
def test_a_broken_file_is_named(tmp_path, text, message):
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_config([str(file)], NAMED)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_file_says_nothing(tmp_path):
    file = tmp_path / "empty.yaml"
    file.write_text("# nothing yet\n")
    assert load_config([str(file)], NAMED) == load_config([], NAMED)


def test_an_option_without_equals_sign_is_refused():
    with pytest.raises(ConfigError, match="--agent-option takes key=value, not 'window'"):
        parse_options(["window"], "--agent-option")


def test_the_folder_is_made_from_the_names():
    config = RunConfig(benchmark="nightmares", agent="llm", model="Qwen/Qwen3-8B")
    assert config.folder.as_posix() == "runs/nightmares-llm-Qwen-Qwen3-8B"
    assert config.label == "llm-Qwen/Qwen3-8B"
    long = RunConfig(benchmark="b", agent="cli:" + 100 * "true; ")
    assert len(long.folder.name) < 100 and long.folder.name.startswith("b-cli-true-true-")
    assert RunConfig(benchmark="b", agent="a", output="x/y").folder.as_posix() == "x/y"


def test_a_configuration_survives_its_json():
    config = RunConfig(benchmark="b", agent="a", tools=("view",), output="x", agent_options={"n": [1]})
    assert RunConfig.model_validate(config.model_dump(mode="json")) == config
