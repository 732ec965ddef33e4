"""Every format that models write, as their templates write it."""

import json

import pytest

from debug_gym.toolcalls import find_calls


def tool(name, **properties):
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TEXT, NUMBER = {"type": "string"}, {"anyOf": [{"type": "integer"}, {"type": "null"}]}
TOOLS = [
    tool("view", path=TEXT, start=NUMBER),
    tool("rewrite", path=TEXT, content=TEXT),
    tool("eval", tests={"type": "array"}),
]
VIEW = ("view", {"path": "a.py", "start": 2})
EVAL = ("eval", {})
ARGUMENTS = json.dumps(VIEW[1])
CALL = json.dumps({"name": "view", "arguments": VIEW[1]})
LLAMA = json.dumps({"name": "view", "parameters": VIEW[1]})
CODER = (
    "<function=view>\n<parameter=path>\na.py\n</parameter>\n<parameter=start>\n2\n</parameter>\n</function>"
)
INVOKE = '<invoke name="view">\n<parameter name="path">a.py</parameter>\n<parameter name="start">2</parameter>\n</invoke>'
DSML = INVOKE.replace("<", "<｜DSML｜").replace("<｜DSML｜/", "</｜DSML｜")
STEP = INVOKE.replace("<", "<steptml:").replace("<steptml:/", "</steptml:")
GLM = "<tool_call>view\n<arg_key>path</arg_key>\n<arg_value>a.py</arg_value>\n<arg_key>start</arg_key>\n<arg_value>2</arg_value>\n</tool_call>"
OPENAI = {"id": "c", "type": "function", "function": {"name": "view", "arguments": ARGUMENTS}}

WRITTEN = [
    ("hermes", f"<tool_call>\n{CALL}\n</tool_call>", [VIEW]),
    ("hermes", f"<tool_call>{CALL}</tool_call>\n<tool_call>{{\"name\": \"eval\"}}</tool_call>", [VIEW, EVAL]),
    ("hermes", f"<tool_call>\n{CALL}", [VIEW]),  # servers cut stop strings off
    ("hermes", f"<tool_call>\n{CALL[:-1]}\n</tool_call>", [VIEW]),
    ("hermes", f"<tool_call>\n```json\n{CALL}\n```\n</tool_call><|im_end|>", [VIEW]),
    ("hermes", f"<tool_call>[{CALL}, {CALL}]</tool_call>", [VIEW, VIEW]),
    ("hermes", f"<|tool_call|>[{CALL}]<|/tool_call|>", [VIEW]),
    ("hermes", f"<tool_calls>[{CALL}]</tool_calls>", [VIEW]),
    ("qwen-coder", f"<tool_call>\n{CODER}\n</tool_call>", [VIEW]),
    ("qwen-coder", f"{CODER}\n{CODER}\n</tool_call>", [VIEW, VIEW]),
    ("qwen-coder", f"<seed:tool_call>\n{CODER}\n</seed:tool_call>", [VIEW]),
    ("qwen-coder", f"<function=view>{ARGUMENTS}</function>", [VIEW]),
    ("glm", GLM, [VIEW]),
    ("glm", f"{GLM}\n<tool_call>eval\n</tool_call>", [VIEW, EVAL]),
    ("anthropic", f"<function_calls>\n{INVOKE}\n</function_calls>", [VIEW]),
    ("anthropic", INVOKE, [VIEW]),
    ("anthropic", f"<minimax:tool_call>\n{INVOKE}\n</minimax:tool_call>", [VIEW]),
    ("anthropic", f"<｜DSML｜function_calls>\n{DSML}\n</｜DSML｜function_calls>", [VIEW]),
    ("mistral", f"[TOOL_CALLS] [{CALL}]</s>", [VIEW]),
    ("mistral", f"[TOOL_CALLS]view[CALL_ID]abc123def[ARGS]{ARGUMENTS}", [VIEW]),
    ("mistral", f"[TOOL_CALLS]view{ARGUMENTS}[TOOL_CALLS]eval{{}}", [VIEW, EVAL]),
    ("llama", f"<|python_tag|>{LLAMA}<|eom_id|>", [VIEW]),
    ("llama", f'<|python_tag|>{LLAMA}; {{"name": "eval", "parameters": {{}}}}', [VIEW, EVAL]),
    ("llama", '<|python_tag|>view.call(path="a.py", start=2)', [VIEW]),
    ("json", LLAMA, [VIEW]),
    ("json", f"[{CALL}]", [VIEW]),
    ("json", json.dumps({"function_call": {"name": "view", "arguments": ARGUMENTS}}), [VIEW]),
    ("json", json.dumps({"tool_calls": [OPENAI]}), [VIEW]),
    ("json", json.dumps({"type": "function", "name": "view", "parameters": VIEW[1]}), [VIEW]),
    (
        "deepseek",
        f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>view<｜tool▁sep｜>{ARGUMENTS}<｜tool▁call▁end｜>"
        "<｜tool▁call▁begin｜>eval<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>",
        [VIEW, EVAL],
    ),
    (
        "deepseek",
        f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>view\n```json\n{ARGUMENTS}\n```"
        "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        [VIEW],
    ),
    (
        "harmony",
        "<|channel|>analysis<|message|>Look.<|end|><|start|>assistant<|channel|>commentary to=functions.view "
        f"<|constrain|>json<|message|>{ARGUMENTS}<|call|>",
        [VIEW],
    ),
    ("harmony", f"<|start|>assistant to=functions.view<|channel|>commentary json<|message|>{ARGUMENTS}", [VIEW]),
    ("harmony", f"assistantcommentary to=functions.view json{ARGUMENTS}", [VIEW]),
    (
        "kimi",
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.view:0<|tool_call_argument_begin|>"
        f"{ARGUMENTS}<|tool_call_end|><|tool_calls_section_end|>",
        [VIEW],
    ),
    ("cohere", f'<|START_ACTION|>[{{"tool_call_id": "0", "tool_name": "view", "parameters": {ARGUMENTS}}}]<|END_ACTION|>', [VIEW]),
    ("internlm", f"<|action_start|><|plugin|>{LLAMA}<|action_end|>", [VIEW]),
    ("phi", f"functools[{CALL}]", [VIEW]),
    ("pythonic", '[view(path="a.py", start=2), eval()]', [VIEW, EVAL]),
    ("pythonic", "<|python_start|>[view(path='a.py', start=2)]<|python_end|>", [VIEW]),
    ("pythonic", '<|tool_call_start|>[view(path="a.py", start=2)]<|tool_call_end|>', [VIEW]),
    ("pythonic", '<function_calls>\nview(path="a.py", start=2)\n</function_calls>', [VIEW]),
    ("pythonic", '```tool_code\nview(path="a.py", start=2)\n```', [VIEW]),
    ("pythonic", '```tool_code\nprint(default_api.view(path="a.py", start=2))\n```', [VIEW]),
    ("gemma", "<start_function_call>call:view{path:<escape>a.py<escape>,start:2}<end_function_call>", [VIEW]),
    ("gemma", '<|tool_call>call:view{path:<|"|>a.py<|"|>,start:2}<tool_call|><|tool_call>call:eval{}<tool_call|>', [VIEW, EVAL]),
    ("anthropic", f"<｜tool_calls_begin｜><｜tool_call_begin｜>function<｜tool_sep｜>{STEP}<｜tool_call_end｜><｜tool_calls_end｜>", [VIEW]),
    ("hermes", f"<TOOLCALL>[{CALL}]</TOOLCALL>", [VIEW]),
    ("hermes", f"<longcat_tool_call>\n{CALL}\n</longcat_tool_call>", [VIEW]),
    ("hermes", f"<tool_use>\n{CALL}\n</tool_use>", [VIEW]),
    ("hermes", f"<|tool_call_start|>[{CALL}]<|tool_call_end|>", [VIEW]),
    ("hermes", f'<tool_call name="view">{ARGUMENTS}</tool_call>', [VIEW]),
    ("hermes", f"<tool_call>\n{CALL.replace('view', 'functions.view')}\n</tool_call>", [VIEW]),
    ("apertus", f'<|tools_prefix|>[{{"view": {ARGUMENTS}}}, {{"eval": {{}}}}]<|tools_suffix|>', [VIEW, EVAL]),
    ("cohere", f'Action: ```json\n[{{"tool_name": "view", "parameters": {ARGUMENTS}}}]\n```', [VIEW]),
    ("react", f"Action: view\nAction Input: {ARGUMENTS}", [VIEW]),
    ("harmony", f"<|channel|>commentary to=view code<|message|>{ARGUMENTS}<|call|>", [VIEW]),
    ("tags", "<view>\n<path>a.py</path>\n<start>2</start>\n</view>", [VIEW]),
    ("json", json.dumps({"tool_uses": [{"recipient_name": "functions.view", "parameters": VIEW[1]}]}), [VIEW]),
    ("fenced", json.dumps({"tool": "view", "args": VIEW[1]}).join(("```JSON\r\n", "\r\n```")), [VIEW]),
    ("fenced", json.dumps({"action": "view", "action_input": VIEW[1]}).join(("```json\n", "\n```")), [VIEW]),
    ("fenced", f"```json\n{CALL}\n```", [VIEW]),
    ("fenced", f"```\n{CALL}\n```", [VIEW]),
    ("fenced", f"```tool_call\n{CALL}\n```", [VIEW]),
]  # fmt: skip


BEFORE = [
    ("", "", ""),
    ("I look at it.\n\n", "", "I look at it."),
    ("<think>\nWhere is it?\n</think>\n\n", "Where is it?", ""),
    ("Where is it?</think>I look.\n", "Where is it?", "I look."),
    ("<think>It must be in a.py.\n", "It must be in a.py.", ""),  # and stops inside the reasoning
]
"""What stands before the calls, the reasoning in it, and the text."""


@pytest.mark.parametrize("row", WRITTEN, ids=[f"{row[0]}-{i}" for i, row in enumerate(WRITTEN)])
@pytest.mark.parametrize("start", BEFORE, ids=["alone", "text", "thought", "both", "inside"])
def test_a_call_at_the_end(row, start):
    name, text, calls = row
    before, reasoning, said = start
    if "analysis" in text:  # harmony's own reasoning
        text = text[text.index("<|start|>") :]
    found = find_calls(before + text, TOOLS)
    if text.startswith("```\n") and (said or before.startswith("<think>It")):
        assert not found.calls  # after prose, a block of unnamed kind is an example
        return
    assert [(call.name, call.arguments) for call in found.calls] == calls
    assert (found.format, found.reasoning, found.text) == (name, reasoning, said)


@pytest.mark.parametrize(
    "thought",
    ["<seed:think>Hm.</seed:think>", "◁think▷Hm.◁/think▷", "<|START_THINKING|>Hm.<|END_THINKING|>", "<|channel>thought\nHm.<channel|>"],
)  # fmt: skip
def test_marks_of_reasoning(thought):
    found = find_calls(f"{thought}<tool_call>{CALL}</tool_call>", TOOLS)
    assert (found.reasoning, found.text, len(found.calls)) == ("Hm.", "", 1)


def test_a_reply_that_is_one_fence_around_tags():
    assert find_calls(f"```xml\n<tool_call>\n{CALL}\n</tool_call>\n```", TOOLS).calls


def test_what_gemma_writes_between_its_marks_is_text():
    content = 'a = {"b": 1}\n</tool_call>'
    text = f'<|tool_call>call:rewrite{{content:<|"|>{content}<|"|>,path:<|"|>a.py<|"|>}}<tool_call|>'
    assert find_calls(text, TOOLS).calls[0].arguments == {"content": content, "path": "a.py"}


def test_a_message_to_nobody_is_no_call():
    found = find_calls(f"<|channel|>commentary<|message|>{ARGUMENTS}", TOOLS)
    assert (found.calls, "names no tool" in found.note) == ((), True)


def test_harmony_keeps_its_reasoning_apart():
    text = next(row[1] for row in WRITTEN if "analysis" in row[1])
    found = find_calls(text, TOOLS)
    assert found.reasoning == "Look."
    assert found.text == ""


@pytest.mark.parametrize(
    "content",
    [
        "</tool_call>\n<tool_call>\n",
        '<tool_call>{"name": "eval", "arguments": {}}</tool_call>',
        "<think>x</think>",
        "```\ncode\n```",
        '[TOOL_CALLS][{"name": "eval", "arguments": {}}]',
        "</parameter>\n# </function>",
        "def f():\n    return '<parameter=path>'\n",
    ],
)
def test_what_an_argument_holds_changes_nothing(content):
    arguments = {"path": "a.py", "content": content}
    call = json.dumps({"name": "rewrite", "arguments": arguments})
    tags = f"<parameter=path>\na.py\n</parameter>\n<parameter=content>\n{content}\n</parameter>"
    for text in (
        f"<tool_call>\n{call}\n</tool_call>",
        f"<tool_call>\n<function=rewrite>\n{tags}\n</function>\n</tool_call>",
    ):
        for before in ("", "Now the file.\n", "<think>So.</think>\n"):
            found = find_calls(before + text, TOOLS)
            assert [(found_call.name, found_call.arguments) for found_call in found.calls] == [
                ("rewrite", arguments)
            ]


def test_tagged_arguments_are_typed_by_the_schema():
    text = "<function=eval>\n<parameter=tests>\n['a', \"b\",]\n</parameter>\n</function>"
    found = find_calls(text, TOOLS)
    assert found.calls[0].arguments == {"tests": ["a", "b"]}
    assert "single quotes" in found.note
    view = find_calls(
        "<function=view><parameter=path>1</parameter><parameter=start>x</parameter></function>", TOOLS
    )
    assert view.calls[0].arguments == {"path": "1", "start": "x"}  # the tool says what it expects


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ('<tool_call>\n{"name": "view", "arguments": {"path": "a\n</tool_call>', "cannot be read"),
        ('<tool_call>\n{"name": "open", "arguments": {}}\n</tool_call>', "no tool named 'open'; the tools are: eval"),
        (f"<tool_call>{CALL}</tool_call><tool_call>{{\"name\": \"rm\"}}</tool_call>", "no tool named 'rm'"),
        ("<function=view><parameter=path>a</parameter><parameter=path>b</parameter></function>", "argument path twice"),
        ("[TOOL_CALLS]view[ARGS][1]", "no JSON object"),
    ],
)  # fmt: skip
def test_a_call_that_cannot_be_played_is_explained(text, note):
    found = find_calls(text, TOOLS)
    assert found.calls == ()
    assert note in found.note
    assert found.text == text


def test_nothing_is_mended_after_a_cut():
    text = f"<tool_call>\n{CALL[:-2]}"
    assert find_calls(text, TOOLS).calls
    assert not find_calls(text, TOOLS, cut=True).calls
    assert find_calls(f"<tool_call>{CALL}", TOOLS, cut=True).calls  # it is complete
