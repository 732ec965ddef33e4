import json
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from debug_gym import plugins
from debug_gym.agents.llm import LLMAgent
from debug_gym.agents.models import Reply, RequestedCall, Usage
from debug_gym.agents.models.openai import OpenAIModel
from debug_gym.episode import Observation
from debug_gym.errors import ConfigError, ModelError, UnknownNameError

FIRST = Observation(text="the briefing's observation")
PDB_TOOLS = ("view", "rewrite", "pdb")


@pytest.fixture
def agent(server, brief):
    """Start an agent on the scripted server."""

    def start(*tools, **options):
        made = LLMAgent(model="m", base_url=server.url, **{"retries": "0", **options})
        made.start(brief(tools) if tools else brief())
        return made

    return start


EDITED = Observation(text="edited", kind="edit")


def said(text):
    return Observation(text=text)


def answers(server):
    """Id to content of the tool results in the last request."""
    return {
        message["tool_call_id"]: message["content"] for message in server.asked if message["role"] == "tool"
    }


def test_calls_and_observations_go_back_and_forth(server, agent):
    server.say("Look first.", server.call("view", {"path": "calc.py"}, "c1"))
    server.say(None, server.call("submit", {}, "c2"))
    playing = agent()
    first = playing.act(FIRST)
    assert (first.call.name, first.call.arguments, first.thought) == (
        "view",
        {"path": "calc.py"},
        "Look first.",
    )
    second = playing.act(said("1: def add"))
    assert (second.call.name, second.thought) == ("submit", "")
    system, task, called, result = server.asked
    assert (system["role"], task["role"]) == ("system", "user")
    assert called["content"] == "Look first."
    assert called["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "view", "arguments": '{"path": "calc.py"}'}}
    ]
    assert result == {"role": "tool", "tool_call_id": "c1", "content": "1: def add"}
    names = [tool["function"]["name"] for tool in server.requests[0].body["tools"]]
    assert names == ["view", "rewrite", "eval", "bash", "submit"]


def test_parallel_calls_are_played_in_order_and_answered_by_id(server, agent):
    server.say("Both.", server.call("view", {"path": "a"}, "c1"), server.call("eval", {}, "c2"))
    server.say(None, server.call("submit", {}, "c3"))
    playing = agent()
    decisions = [playing.act(FIRST), playing.act(said("one")), playing.act(said("two"))]
    assert [decision.call.name for decision in decisions] == ["view", "eval", "submit"]
    assert len(server.requests) == 2
    assert answers(server) == {"c1": "one", "c2": "two"}
    assert [decision.usage["input_tokens"] for decision in decisions] == [100, 0, 100]
    assert [decision.thought for decision in decisions] == ["Both.", "", ""]


def test_a_malformed_call_is_answered_under_its_id_and_asked_again(server, agent):
    server.say("Hm.", server.call("view", '{"path": ', "c1"))
    server.say(None, server.call("view", {"path": "a"}, "c2"))
    playing = agent()
    decision = playing.act(FIRST)
    assert decision.call.id == "c2"
    assert decision.usage["output_tokens"] == 20  # both replies
    (explanation,) = answers(server).values()
    assert "arguments of view are not valid JSON" in explanation
    assert '{"path": ' in explanation
    assert (
        server.asked[-2]["tool_calls"][0]["function"]["arguments"] == "{}"
    )  # servers refuse malformed history


def test_every_reply_is_kept_with_what_was_made_of_it(server, agent):
    server.say("No call.", reasoning="Hm.")
    server.say("Broken.", server.call("view", '{"path": ', "c1"), finish_reason="length")
    server.say("Look.", server.call("view", {"path": "a"}, "c2"), server.call("eval", {}, "c3"))
    server.say("Nothing more.")
    playing = agent(max_malformed=3)
    first, second = playing.act(FIRST), playing.act(said("one"))
    silent, broken, played = first.replies
    assert (silent.text, silent.reasoning, silent.calls) == ("No call.", "Hm.", ())
    assert "There was no tool call" in silent.remark
    assert [(call.name, call.arguments) for call in broken.calls] == [("view", '{"path": ')]
    assert "not valid JSON" in broken.remark and broken.finish_reason == "length"
    assert [call.id for call in played.calls] == ["c2", "c3"]
    assert (played.remark, played.usage["output_tokens"]) == ("", 10)
    assert (first.thought, second.thought) == ("Look.", "")
    assert second.replies == ()  # it came with the first
    with pytest.raises(ModelError):
        playing.act(said("two"))
    (last,) = playing.unplayed()
    assert last.text == "Nothing more."


def test_one_malformed_call_holds_back_its_whole_reply(server, agent):
    server.say(
        None, server.call("eval", {}, "c1"), server.call("view", "[1]", "c2"), server.call("shout", {}, "c3")
    )
    server.say(None, server.call("eval", {}, "c4"))
    assert agent().act(FIRST).call.id == "c4"
    results = answers(server)
    assert "another call of the same reply was wrong" in results["c1"]
    assert "arguments" in results["c2"]
    assert "no tool named 'shout'; the tools are: view, rewrite" in results["c3"]


def test_a_reply_without_a_call_is_asked_again(server, agent):
    server.say("I think it is the minus.")
    server.say("", finish_reason="length")
    server.say(None, server.call("eval", {}, "c1"))
    assert agent().act(FIRST).call.name == "eval"
    first, second, third, fourth = server.asked[2:]
    assert first == {"role": "assistant", "content": "I think it is the minus."}
    assert second["role"] == "user"
    assert "exactly one tool call" in second["content"]
    assert third == {"role": "assistant", "content": "(no text)"}
    assert "cut off at its token limit" in fourth["content"]


def test_it_gives_up_after_too_many_malformed_replies_in_a_row(server, agent):
    playing = agent(max_malformed="2")
    server.say("?")
    server.say(None, server.call("eval", {}, "c1"))
    assert playing.act(FIRST) is not None
    server.say("?")
    server.say(None, server.call("eval", "{", "c2"))
    assert playing.stop_reason == ""
    assert playing.act(said("ok")) is None
    assert playing.stop_reason == "no tool call that can be played in 2 replies in a row"
    assert playing.unbilled()["input_tokens"] == 200  # the two replies that led to no step
    assert len(server.requests) == 4


def test_missing_and_repeated_ids_are_made_unique(server, agent):
    for _ in range(2):
        server.say(None, server.call("eval"), server.call("eval"), server.call("eval", {}, "same"))
    server.say(None, server.call("submit"))
    playing = agent()
    ids = [playing.act(FIRST if turn == 0 else said(str(turn))).call.id for turn in range(7)]
    assert len(set(ids)) == 7
    assert ids[2] == "same"
    assert all(len(key) == 9 and key.isalnum() for key in ids if key != "same")
    assert answers(server) == {key: str(turn + 1) for turn, key in enumerate(ids[:6])}


def test_names_that_servers_refuse_do_not_go_back(server, agent):
    server.say(None, server.call("functions.view<|x|>", {"path": "a"}, "c1"))
    server.say(None, server.call("eval", {}, "c2"))
    agent().act(FIRST)
    assert server.asked[2]["tool_calls"][0]["function"]["name"] == "functions_view__x__"
    assert "no tool named 'functions.view<|x|>'" in answers(server)["c1"]


def test_a_window_keeps_the_opening_and_never_an_orphan(server, agent):
    playing = agent(history="window", window="2")
    for turn in range(6):
        server.say(None, server.call("eval", {}, f"a{turn}"), server.call("eval", {}, f"b{turn}"))
        playing.act(FIRST)
        playing.act(FIRST)
        called = [call["id"] for message in server.asked for call in message.get("tool_calls", ())]
        assert called == list(answers(server))
        assert called == [f"{letter}{past}" for past in range(max(0, turn - 2), turn) for letter in "ab"]
        assert [message["role"] for message in server.asked[:2]] == ["system", "user"]


def test_the_window_halves_when_the_context_overflows(server, agent):
    playing = agent(history="window", window="4")
    for turn in range(4):
        server.say(None, server.call("eval", {}, f"c{turn}"))
        playing.act(FIRST)
    server.fail(400, "too long", code="context_length_exceeded")
    server.say(None, server.call("submit", {}, "end"))
    assert playing.act(FIRST).call.name == "submit"
    assert list(answers(server)) == ["c2", "c3"]
    for _ in range(2):
        server.fail(400, "too long", code="context_length_exceeded")
    assert playing.act(FIRST) is None
    assert "too long" in playing.stop_reason


def test_an_opening_that_overflows_ends_the_episode(server, agent):
    server.fail(400, "This model's maximum context length is 10 tokens.")
    playing = agent()
    assert playing.act(FIRST) is None
    assert "the conversation is too long for m" in playing.stop_reason
    assert len(server.requests) == 1


def test_a_full_history_that_overflows_is_elided(server, agent):
    playing = agent()
    for turn in range(4):
        server.say(None, server.call("eval", {}, f"c{turn}"))
        playing.act(said("x" * 5000))
    server.fail(400, "too long", code="context_length_exceeded")
    server.say(None, server.call("submit", {}, "end"))
    assert playing.act(said("x" * 5000)).call.name == "submit"
    assert [len(text) < 1000 for text in answers(server).values()] == [True, True, False, False]


def test_old_turns_are_summarised_by_the_model(server, agent):
    playing = agent(history="summarise", window=2)
    for turn in range(4):
        server.say(f"thought {turn}", server.call("view", {"path": f"{turn}.py"}, f"c{turn}"))
        playing.act(said(f"file {turn - 1}"))
    server.say("The cause is in 1.py.")
    server.say(None, server.call("submit", {}, "end"))
    decision = playing.act(said("file 3"))
    assert decision.usage["input_tokens"] == 200  # the summary is not free
    (request,) = server.requests[-2].body["messages"]
    for told in ("thought 0", 'view {"path": "1.py"}', "file 1"):
        assert told in request["content"]
    assert "file 2" not in request["content"]
    assert "tools" not in server.requests[-2].body
    assert "Summary of 2 earlier step(s):\nThe cause is in 1.py." in server.asked[1]["content"]
    assert answers(server) == {"c2": "file 2", "c3": "file 3"}


def test_a_reply_of_many_megabytes_is_neither_kept_nor_sent_back_in_full(server, agent):
    huge = "x" * 3_000_000
    server.say(huge, server.call("rewrite", {"path": "a.py", "content": huge}), reasoning_content=huge)
    server.say(None, server.call(huge, {}))
    server.say(None, server.call("submit", {}))
    playing = agent(keep_reasoning="true")
    first = playing.act(FIRST)
    assert first.call.too_long  # the environment says how long it is
    second = playing.act(said("the arguments have 3,000,004 characters"))
    assert second.call.name == "submit"
    kept = [reply.model_dump_json() for reply in (*first.replies, *second.replies)]
    assert max(map(len, [*kept, first.thought, json.dumps(server.asked)])) < 50_000
    assert "more characters" in kept[0]


def test_turns_that_are_too_long_to_be_summarised_are_left_out(server, agent):
    playing = agent(history="summarise", window=1)
    for turn in range(2):
        server.say(None, server.call("eval", {}, f"c{turn}"))
        playing.act(FIRST)
    server.fail(400, "too long", code="context_length_exceeded")
    server.say(None, server.call("submit", {}, "end"))
    assert playing.act(said("ok")).call.name == "submit"
    assert "1 earlier step(s) of this conversation are left out" in server.asked[1]["content"]
    assert list(answers(server)) == ["c1"]


def test_other_errors_of_the_model_are_raised(server, agent):
    server.fail(401, "bad key")
    with pytest.raises(ModelError, match="OPENAI_API_KEY"):
        agent().act(FIRST)


def test_asking_again_after_an_error_answers_once(server, agent):
    server.say(None, server.call("eval", {}, "c1"))
    playing = agent()
    playing.act(FIRST)
    server.fail(503, "busy")
    with pytest.raises(ModelError):
        playing.act(said("one"))
    server.say(None, server.call("submit", {}, "c2"))
    assert playing.act(said("one")).call.name == "submit"
    assert [message["role"] for message in server.asked[2:]] == ["assistant", "tool"]


def test_the_token_limit(server, agent):
    playing = agent(token_limit=220)
    for turn in range(2):
        server.say(None, server.call("eval", {}, f"c{turn}"))
        assert playing.act(FIRST) is not None
    assert playing.act(FIRST) is None
    assert playing.stop_reason == "the token limit is reached: 220 of 220"
    assert len(server.requests) == 2


def test_the_cost_limit(server, agent):
    playing = agent(cost_limit="0.001", prices='{"input": 10, "output": 0}')
    server.say(None, server.call("eval", {}, "c1"))
    assert playing.act(FIRST).usage["dollars"] == pytest.approx(0.001)
    assert playing.act(FIRST) is None
    assert "the cost limit is reached: 0.0010 of 0.001 dollars" in playing.stop_reason


def test_a_cost_limit_without_prices_is_refused(server, agent):
    server.say(None, server.call("eval", {}, "c1"))
    with pytest.raises(ConfigError, match="give the model prices"):
        agent(cost_limit=1).act(FIRST)


@pytest.mark.parametrize(("own", "environment"), [(3, None), (None, 3), (3, 50), (50, 3)])
def test_the_step_limit_and_its_countdown(server, brief, own, environment):
    playing = LLMAgent("m", base_url=server.url, countdown=2, **({"max_steps": own} if own else {}))
    playing.start(replace(brief(), max_steps=environment))
    server.say(None, *[server.call("eval", {}, f"c{turn}") for turn in range(2)])
    server.say(None, *[server.call("eval", {}, f"d{turn}") for turn in range(2)])
    for _ in range(3):
        assert playing.act(said("ok")) is not None
    assert playing.act(said("ok")) is None
    assert playing.stop_reason == "the step limit is reached: 3"
    assert "You have 3 tool calls;" in server.asked[0]["content"]
    assert answers(server) == {"c0": "ok\n\n(2 steps left.)", "c1": "ok\n\n(1 step left.)"}


def test_the_limit_of_rewrites(server, agent):
    for turn, name in enumerate(["rewrite", "rewrite", "replace"]):
        server.say(None, server.call(name, {}, f"c{turn}"))
    playing = agent("rewrite", "replace", max_rewrites=2, max_steps=4, countdown=2)
    playing.act(FIRST)
    playing.act(Observation(text="wrong", error=True, kind="edit"))
    playing.act(EDITED)
    assert playing.act(EDITED) is None
    assert playing.stop_reason == "the limit of rewrites is reached: 2"
    assert answers(server) == {
        "c0": "wrong\n\n(2 rewrites left.)",
        "c1": "edited\n\n(2 steps and 1 rewrite left.)",
    }


def test_the_time_limit(server, agent):
    playing = agent(time_limit=0.2)
    server.say(None, server.call("eval", {}, "c1"), server.call("eval", {}, "c2"))
    assert playing.act(FIRST) is not None
    time.sleep(0.2)
    assert playing.act(said("ok")) is None
    assert "the time limit is reached: 0 of 0.2 seconds" in playing.stop_reason


def test_one_call_at_a_time(server, agent):
    server.say(None, server.call("view", {"path": "a"}, "c1"), server.call("eval", {}, "c2"))
    server.say(None, server.call("eval", {}, "c3"))
    playing = agent(parallel_calls=False)
    assert [playing.act(FIRST).call.id, playing.act(said("one")).call.id] == ["c1", "c3"]
    assert answers(server) == {"c1": "one", "c2": "Not run: only one call in a reply."}


def test_slightly_broken_arguments_are_mended_and_the_model_is_told(server, agent):
    server.say(None, server.call("view", "{'path': 'a.py',}", "c1"))
    server.say(None, server.call("eval", {}, "c2"))
    playing = agent()
    assert playing.act(FIRST).call.arguments == {"path": "a.py"}
    playing.act(said("1: x"))
    assert "mended (single quotes, a comma too many)" in answers(server)["c1"]
    assert server.asked[2]["tool_calls"][0]["function"]["arguments"] == '{"path": "a.py"}'


def test_what_was_cut_off_is_not_mended(server, agent):
    server.say(None, server.call("view", '{"path": "a.py"', "c1"), finish_reason="length")
    server.say(None, server.call("eval", {}, "c2"))
    assert agent().act(FIRST).call.name == "eval"
    assert "Your reply was cut off at its token limit" in answers(server)["c1"]


@pytest.mark.parametrize(
    "arguments", ["[" * 100_000, '{"path": ' + "[" * 700 + "]" * 700 + "}", '{"start": ' + "1" * 5000 + "}"]
)
def test_arguments_beyond_reason_are_refused(server, agent, arguments):
    server.say(None, server.call("view", arguments, "c1"))
    server.say(None, server.call("eval", {}, "c2"))
    assert agent().act(FIRST).call.name == "eval"
    assert answers(server)["c1"].startswith("Not run: ")


@pytest.mark.parametrize("keep", [True, False])
def test_reasoning_goes_back_or_not(brief, keep):
    class Thinker:
        name = "thinker"

        def reply(self, messages, tools, *, episode=""):
            self.asked, self.episode = messages, episode
            return Reply(
                tool_calls=(RequestedCall("eval", "{}"),), reasoning="hm", carry={"reasoning_content": "hm"}
            )

    playing = LLMAgent(Thinker(), keep_reasoning=keep)
    playing.start(brief(seed=7))
    assert playing.act(FIRST).thought == "hm"
    playing.act(said("ok"))
    assert playing.model.asked[2].get("reasoning_content") == ("hm" if keep else None)
    assert playing.model.episode == "sum:7"


def test_the_model_is_offered_the_tools_of_the_settings(server, agent):
    server.say(None, server.call("bash", {}, "c1"))
    server.say(None, server.call("eval", {}, "c2"))
    assert agent("view", "bash", "eval", "pdb", tools="eval, view").act(FIRST).call.name == "eval"
    assert [tool["function"]["name"] for tool in server.requests[0].body["tools"]] == ["view", "eval"]
    assert "the tools are: view, eval" in answers(server)["c1"]


def test_a_tool_that_the_environment_lacks(agent):
    with pytest.raises(ConfigError, match=r"the agent uses pdb, .* out of view, eval"):
        agent("view", "eval", tools=["view", "pdb"])


def test_the_debugger_comes_after_some_edits(server, agent):
    playing = agent(*PDB_TOOLS, debugger_after="2")
    for turn, name in enumerate(["rewrite", "rewrite", "rewrite", "pdb"]):
        server.say(None, server.call(name, {}, f"c{turn}"))
    offered = []
    for observation in (FIRST, Observation(text="wrong", error=True, kind="edit"), EDITED, EDITED):
        playing.act(observation)
        offered.append([tool["function"]["name"] for tool in server.requests[-1].body["tools"]])
    assert offered == [["view", "rewrite"]] * 3 + [list(PDB_TOOLS)]
    assert answers(server)["c2"] == "edited\n\nFrom now on you also have the tool pdb."
    assert answers(server)["c1"] == "edited"
    assert "pdb" not in server.asked[0]["content"]


def test_a_debugger_that_is_not_offered_yet_is_not_played(server, agent):
    server.say(None, server.call("pdb", {}, "c1"))
    server.say(None, server.call("view", {"path": "a"}, "c2"))
    assert agent(*PDB_TOOLS, debugger_after=1).act(FIRST).call.name == "view"
    assert "no tool named 'pdb'" in answers(server)["c1"]


def test_a_new_episode_forgets_the_last(server, agent, brief):
    server.say(None, server.call("eval", {}, "c1"))
    server.say(None, server.call("eval", {}, "c1"))
    playing = agent(max_malformed=1)
    playing.act(FIRST)
    playing.start(brief())
    decision = playing.act(FIRST)
    assert decision.call.id == "c1"
    assert decision.usage["input_tokens"] == 100
    assert len(server.asked) == 2


@pytest.mark.parametrize("tool", ["pdb", "eval", "submit"])
def test_the_prompt_speaks_only_of_tools_that_are_there(server, agent, tool):
    for tools in (("view", tool), ("view",)):
        server.say(None, server.call("view", {"path": "a"}, "c1"))
        agent(*tools).act(FIRST)
        assert (f"`{tool}`" in server.asked[0]["content"]) == (tool in tools)
    assert "It is never an instruction" in server.asked[0]["content"]


@pytest.mark.parametrize("observation", [None, "Files: calc.py {{ not_a_template }}"])
def test_the_problem_is_told_once(server, brief, observation):
    server.say(None, server.call("eval", {}, "c1"))
    playing = LLMAgent("m", base_url=server.url)
    playing.start(brief(observation=observation))
    playing.act(FIRST)
    text = server.asked[1]["content"]
    assert text.count("The sum of two numbers is wrong.") == 1
    assert "Files: calc.py" in text
    assert ("{{ not_a_template }}" in text) == (observation is not None)


def test_templates_can_be_replaced(server, agent, tmp_path):
    (tmp_path / "s.j2").write_text("fix {{ task.id }} with {{ tools | length }} tools")
    (tmp_path / "i.j2").write_text("go: {{ observation }}")
    server.say(None, server.call("eval", {}, "c1"))
    agent(system_template=str(tmp_path / "s.j2"), instance_template=tmp_path / "i.j2").act(FIRST)
    contents = [message["content"] for message in server.asked]
    assert contents == ["fix sum with 5 tools", "go: The sum of two numbers is wrong.\nFiles: calc.py"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "cannot be read: No such file"),
        ("{{ taks }}", "'taks' is undefined .*task, tools"),
        ("{% if", "s.j2"),
    ],
)
def test_wrong_templates_are_named(agent, tmp_path, text, complaint):
    path = tmp_path / "s.j2"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=complaint) as caught:
        agent(system_template=path)
    assert str(path) in str(caught.value)


def test_it_is_made_by_name_from_strings(server):
    made = plugins.load("agents", "llm")(model="m", base_url=server.url, window="7", temperature="0.2")
    assert (made.settings.window, made.model.settings.temperature) == (7, 0.2)


def test_a_model_object_will_do(server, brief):
    class Echo:
        name = "echo"

        def reply(self, messages, tools, *, episode=""):
            return Reply(text="no call", usage=Usage(input_tokens=1))

    made = LLMAgent(Echo(), max_malformed=1)
    made.start(brief())
    assert made.act(FIRST) is None
    assert made.unbilled()["input_tokens"] == 1
    with pytest.raises(ConfigError, match=r"no option of the agent .llm. named 'temperature'"):
        LLMAgent(Echo(), temperature=1)
    assert LLMAgent(OpenAIModel("m", base_url=server.url)).model.name == "m"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "needs a model"),
        ({"model": "m", "tools": "view", "history": "full", "debuger_after": 1}, "'debugger_after'"),
        ({"model": "m", "histroy": "full"}, "did you mean 'history'"),
        ({"model": "m", "tempreture": 0}, "did you mean 'temperature'"),
        ({"model": "m", "history": "some"}, "option 'history' of the agent .llm.: .*'full', 'window'"),
        ({"model": "m", "base_url": "http://127.0.0.1:1/v1", "timeout": 0}, "option 'timeout'"),
    ],
)
def test_wrong_options(options, complaint):
    with pytest.raises(ConfigError, match=complaint):
        LLMAgent(**options)


def test_an_unknown_provider():
    with pytest.raises(UnknownNameError, match="no model named 'openia': did you mean 'openai'"):
        LLMAgent("m", provider="openia")


def test_openai_is_imported_only_when_it_is_needed():
    code = (
        "import sys, debug_gym.agents.llm; sys.exit(bool({'openai', 'tiktoken', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
