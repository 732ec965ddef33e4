import json

import pytest

from debug_gym.agents.models import Usage
from debug_gym.agents.models.openai import OpenAIModel
from debug_gym.agents.models.prices import Prices, find_prices, read_prices
from debug_gym.errors import ConfigError

MILLION = Usage(input_tokens=1_000_000, output_tokens=1_000_000)
HELLO = [{"role": "user", "content": "hello"}]
OWN = {"input": 1, "output": 2}


@pytest.mark.parametrize(
    "name", ["gpt-4o", "openai/gpt-4o", "gpt-4o-2024-11-20", "azure/gpt-4o-latest", "gateway/openai/gpt-4o"]
)
def test_well_known_models_by_their_many_names(name):
    assert find_prices(name, {}).dollars(MILLION) == pytest.approx(12.5)


def test_dates_without_hyphens():
    assert find_prices("claude-sonnet-4-5-20250929", {}) == find_prices("claude-sonnet-4-5", {}) is not None


@pytest.mark.parametrize("name", ["qwen3-coder", "gpt-4o-something-else", "my-gpt-4o", ""])
def test_unknown_models_have_no_price(name):
    assert find_prices(name, {}) is None


def test_cached_tokens_have_a_price_of_their_own():
    usage = Usage(input_tokens=1000, output_tokens=200, cached_tokens=400)
    assert Prices(input=2, output=8, cached=0.5).dollars(usage) == pytest.approx(0.003)
    assert Prices(input=2, output=8).dollars(usage) == pytest.approx(0.0036)


def as_text(table, tmp_path):
    return json.dumps(table)


def as_file(table, tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text(json.dumps(table))
    return str(path)


@pytest.mark.parametrize("form", [lambda table, tmp_path: table, as_text, as_file])
@pytest.mark.parametrize("table", [OWN, {"mine": OWN, "gpt-4o": {"input": 0, "output": 0}}])
def test_a_table_of_ones_own(table, form, tmp_path):
    options = {"base_url": "http://127.0.0.1:1/v1", "prices": form(table, tmp_path)}
    settings = OpenAIModel("mine", **options).settings
    assert find_prices("mine", settings.prices).dollars(MILLION) == 3
    expected = 3 if table is OWN else 0
    assert find_prices("gpt-4o", settings.prices).dollars(MILLION) == expected  # before what is known


@pytest.mark.parametrize(
    ("prices", "complaint"),
    [
        ("missing.yaml", "the file missing.yaml cannot be read: No such file"),
        ('{"m": {"input": 1}}', r"prices\.m\.output"),
        ({"m": {"input": -1, "output": 2}}, "greater than or equal to 0"),
        ({"m": 3}, r"prices\.m"),
    ],
)
def test_a_wrong_table(prices, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=complaint):
        OpenAIModel("m", base_url="http://127.0.0.1:1/v1", prices=prices)


def test_a_file_that_is_no_yaml(tmp_path):
    (tmp_path / "prices.yaml").write_text("a: [")
    with pytest.raises(ValueError, match="is not valid YAML"):
        read_prices(tmp_path / "prices.yaml")


def test_costs_of_a_known_model(server):
    server.say("hi", usage={"prompt_tokens": 1000, "completion_tokens": 100})
    usage = OpenAIModel("gpt-4o-mini", base_url=server.url).reply(HELLO, []).usage
    assert usage.dollars == pytest.approx((1000 * 0.15 + 100 * 0.6) / 1e6)


def test_an_unknown_price_is_said_once(server, caplog):
    server.say("hi")
    server.say("hi")
    model = OpenAIModel("nobody-knows", base_url=server.url)
    assert [model.reply(HELLO, []).usage.dollars for _ in range(2)] == [None, None]
    said = [record.getMessage() for record in caplog.records if "price" in record.getMessage()]
    assert [text.split(",")[0] for text in said] == ["no price is known for the model nobody-knows"]
