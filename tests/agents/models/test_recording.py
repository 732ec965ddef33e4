import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from debug_gym.agents.models import ContextOverflowError
from debug_gym.agents.models.factory import make_model, option_names
from debug_gym.errors import ConfigError, ModelError

TOOLS = [{"type": "function", "function": {"name": "view", "parameters": {"type": "object"}}}]


def ask(text, *more):
    return [{"role": "system", "content": "You debug."}, {"role": "user", "content": text}, *more]


@pytest.fixture
def record(server, tmp_path):
    return lambda **options: make_model(
        "m", "openai", {"base_url": server.url, "retries": 0, "record": str(tmp_path / "tape"), **options}
    )


@pytest.fixture
def replay(tmp_path):
    return lambda name="m", **options: make_model(
        name, "replay", {"recording": str(tmp_path / "tape"), **options}
    )


def test_what_was_recorded_comes_again(server, record, replay):
    server.say("Look.", server.call("view", {"path": "a.py"}, "c1"), reasoning="Hm.")
    server.say("Done.")
    recorder = record()
    first = recorder.reply(ask("hello"), TOOLS, episode="calc.0")
    second = recorder.reply(ask("hello", {"role": "assistant", "content": "Look."}), TOOLS, episode="calc.0")
    player = replay(base_url="http://127.0.0.1:1/v1")
    assert player.reply(ask("hello"), TOOLS, episode="calc.0") == first
    assert (
        player.reply(ask("hello", {"role": "assistant", "content": "Look."}), TOOLS, episode="calc.0")
        == second
    )
    assert first.usage.seconds > 0
    assert len(server.requests) == 2


def test_the_reasoning_items_of_responses_are_kept(server, record, replay):
    thought = {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "gAAA"}
    server.respond(thought)
    reply = record(api="responses").reply(ask("hello"), [])
    assert replay().reply(ask("hello"), []) == reply
    assert reply.carry == {"reasoning_items": [thought]}


def test_attempts_are_kept_apart(server, record, replay):
    for number in range(3):
        server.say(f"reply {number}")
        record().reply(ask("hello"), [], episode=f"calc.{number}")
    for number in (2, 0, 1):
        assert replay().reply(ask("hello"), [], episode=f"calc.{number}").text == f"reply {number}"


def test_the_same_question_again_gets_the_next_answer(server, record, replay):
    server.say("one")
    server.say("two")
    recorder = record()
    assert [recorder.reply(ask("hello"), []).text for _ in range(2)] == ["one", "two"]
    player = replay()
    assert [player.reply(ask("hello"), []).text for _ in range(2)] == ["one", "two"]
    with pytest.raises(ModelError, match=r"has been answered 2 time\(s\)"):
        player.reply(ask("hello"), [])


def test_of_a_killed_and_a_resumed_run_the_later_answer_counts(server, record, replay):
    for text in ("killed", "resumed"):
        server.say(text)
        record().reply(ask("hello"), [], episode="calc.0")
    assert replay().reply(ask("hello"), [], episode="calc.0").text == "resumed"


def test_an_overflow_comes_again_and_a_failure_does_not(server, record, replay):
    server.fail(400, "too big", code="context_length_exceeded")
    server.fail(500, "oops")
    server.say("hi")
    recorder = record()
    with pytest.raises(ContextOverflowError) as first:
        recorder.reply(ask("long"), [])
    with pytest.raises(ModelError, match="oops"):
        recorder.reply(ask("short"), [])
    recorder.reply(ask("short"), [])
    player = replay()
    with pytest.raises(ContextOverflowError) as second:
        player.reply(ask("long"), [])
    assert str(second.value) == str(first.value)
    assert player.reply(ask("short"), []).text == "hi"


def test_a_line_that_was_cut_by_a_kill_hurts_nobody(server, record, replay, tmp_path):
    server.say("one")
    server.say("two")
    record().reply(ask("first"), [])
    file = tmp_path / "tape" / "replies.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + whole.splitlines()[-1][:50])
    record().reply(ask("second"), [])
    assert [replay().reply(ask(text), []).text for text in ("first", "second")] == ["one", "two"]


def test_many_workers_record_into_one_folder(server, record, replay):
    for _ in range(24):
        server.say("x" * 20_000)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda n: record().reply(ask("hello"), TOOLS, episode=f"t.{n}"), range(24)))
    for number, reply in enumerate(replies):
        assert replay().reply(ask("hello"), TOOLS, episode=f"t.{number}") == reply


def test_a_message_is_stored_once(server, record, tmp_path):
    history, recorder = ask("x" * 10_000), record()
    for number in range(10):
        server.say(f"reply {number}")
        recorder.reply(history, TOOLS)
        history = [*history, {"role": "assistant", "content": f"reply {number}"}]
    assert os.stat(tmp_path / "tape" / "replies.jsonl").st_size < 20_000


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (
            {"messages": ask("hexlo")},
            r"differs first in message 2: recorded .*hello.*, now .*hexlo",
        ),
        ({"messages": ask("hello", {"role": "user", "content": "?"})}, "with 3 messages; .* has 2 messages"),
        ({"tools": []}, "has 1 tools"),
        ({"episode": "calc.7"}, r"question of calc\.7 .* of calc\.0, asks the same in another episode"),
    ],
)
def test_a_miss_says_what_differs(server, record, replay, asked, complaint):
    server.say("hi")
    server.say("hi")
    record().reply(ask("something else"), TOOLS, episode="other.0")
    recorded = {"messages": ask("hello"), "tools": TOOLS, "episode": "calc.0"}
    record().reply(**recorded)
    with pytest.raises(ModelError, match=complaint):
        replay().reply(**{**recorded, **asked})


def test_the_order_of_keys_does_not_matter(server, record, replay):
    server.say("hi")
    record().reply([{"role": "user", "content": "hello"}], [])
    assert replay().reply([{"content": "hello", "role": "user"}], []).text == "hi"


def test_what_cannot_be_replayed(server, record, replay, tmp_path):
    with pytest.raises(ConfigError, match=r"there is no recording in .*tape"):
        replay()
    server.say("hi")
    record().reply(ask("hello"), [])
    with pytest.raises(ConfigError, match="has no answers of the model 'n', but of: m"):
        replay("n")
    with pytest.raises(ConfigError, match="no option of the replay model named 'temperature'"):
        replay(temperature=1)
    with pytest.raises(ConfigError, match="option 'recording' of the replay model"):
        make_model("m", "replay", {})
    file = tmp_path / "tape" / "replies.jsonl"
    file.write_text(file.read_text().replace('"format": 1', '"format": 9'))
    with pytest.raises(ConfigError, match=r"line 3: format 9 cannot be read"):
        replay()


def test_a_folder_that_cannot_be_written(server, record, tmp_path):
    (tmp_path / "tape").write_text("a file")
    with pytest.raises(ConfigError, match="cannot be written"):
        record()


def test_no_key_is_recorded(server, record, tmp_path):
    server.say("hi")
    record(api_key="sesame").reply(ask("hello"), [])
    assert "sesame" not in (tmp_path / "tape" / "replies.jsonl").read_text()
    lines = [json.loads(line) for line in (tmp_path / "tape" / "replies.jsonl").read_text().splitlines()]
    assert [line["type"] for line in lines] == ["part", "part", "reply"]


def test_options_of_a_provider():
    assert {"record", "temperature", "base_url"} <= set(option_names("openai"))
    assert {"record", "recording"} <= set(option_names("replay"))


def test_a_full_disk_ends_the_run(server, record, tmp_path):
    (tmp_path / "tape").mkdir()
    (tmp_path / "tape" / "replies.jsonl").symlink_to("/dev/full")
    server.say("hi")
    with pytest.raises(ConfigError, match="cannot be written: No space left"):
        record().reply(ask("hello"), [])
