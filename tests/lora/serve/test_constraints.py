"""Whatever a model would rather write, its calls are valid: here the model is random."""

import json

import jsonschema
import pytest

from debug_gym.errors import ConfigError
from debug_gym.lora.serve.chat import DESCRIBED
from debug_gym.lora.serve.constraints import Grammars
from debug_gym.lora.serve.engine import Engine
from debug_gym.lora.serve.sampling import Sampling
from debug_gym.lora.serve.served import ServedModels
from debug_gym.lora.serve.syntax import ArgumentSyntax, CallSyntax
from debug_gym.toolcalls import find_calls

from .conftest import make_model, make_tokenizer

SHORT = {"type": "string", "maxLength": 6}
SCHEMAS = {
    "view": {
        "type": "object",
        "properties": {
            "path": SHORT,
            "start": {"anyOf": [{"type": "integer", "maximum": 99}, {"type": "null"}]},
        },
        "required": ["path"],
        "additionalProperties": False,
    },
    "eval": {
        "type": "object",
        "properties": {"tests": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2}},
        "required": ["tests"],
        "additionalProperties": False,
    },
    "submit": {"type": "object", "properties": {}, "additionalProperties": False},
}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": schema}} for name, schema in SCHEMAS.items()
]
LLAMA = CallSyntax('{"name": "', '{name}", "parameters": ', "}", marked=False)
SPECIAL = CallSyntax("[TOOL_CALLS]", "{name}[ARGS]", "", separator="")
CODER = CallSyntax(
    "<tool_call>",
    "\n<function={name}>",
    "\n</function>\n</tool_call>",
    argument=ArgumentSyntax("\n<parameter=", ">\n", "\n</parameter>"),
)
PROMPT = [5, 6, 7, 8]


def check(text, *, parallel=True):
    found = find_calls(text, TOOLS, demanded=True)
    assert found.calls, text
    assert parallel or len(found.calls) == 1
    assert found.note == ""  # nothing had to be mended
    for call in found.calls:
        jsonschema.validate(call.arguments, SCHEMAS[call.name])
    return found


@pytest.mark.parametrize("syntax", [DESCRIBED, LLAMA], ids=["marked", "bare"])
@pytest.mark.parametrize("parallel", [True, False])
def test_a_call_that_is_demanded_comes_and_is_valid(engine, syntax, parallel):
    running = engine()
    grammar = running.grammars.for_calls(TOOLS, syntax, "required", most=8 if parallel else 1, thought=20)
    requests = [
        running.submit(PROMPT, Sampling(max_tokens=1000, seed=seed, temperature=1.5), grammar=grammar)
        for seed in range(12)
    ]
    names = set()
    for request in requests:
        made = request.result.result(60)
        assert made.finish_reason == "stop"
        names |= {call.name for call in check(made.text, parallel=parallel).calls}
    assert names == set(SCHEMAS)


def test_where_there_is_nothing_to_constrain(engine):
    grammars = engine().grammars
    assert grammars.for_calls(TOOLS, LLAMA, "auto") is None  # any text may begin like this
    assert grammars.for_calls([], DESCRIBED, "required") is None


def allowed(tokenizer, constraint, text):
    """How much of a text the constraint lets through, and whether it may end there."""
    passed = []
    for token in tokenizer.encode(text, add_special_tokens=False):
        if not constraint.mask()[token]:
            break
        constraint.accept(token)
        passed.append(token)
    return tokenizer.decode(passed), bool(constraint.mask()[tokenizer.eos_token_id])


@pytest.fixture(scope="module")
def grammars():
    tokenizer = make_tokenizer(control=["[TOOL_CALLS]", "[ARGS]"])
    return tokenizer, Grammars(tokenizer, len(tokenizer), [tokenizer.eos_token_id])


CALL = '<tool_call>\n{"name": "view", "arguments": {"path": "a.py"}}\n</tool_call>'


@pytest.mark.parametrize(
    ("text", "choice", "let", "end"),
    [
        ("Just text.", "auto", "Just text.", True),
        (f"Now:\n{CALL}", "auto", f"Now:\n{CALL}", True),
        (f"{CALL}\n{CALL}", "auto", f"{CALL}\n{CALL}", True),
        (f"{CALL} and text", "auto", CALL, True),
        ('<tool_call>\n{"name": "rm"', "auto", '<tool_call>\n{"name": "', False),
        (
            '<tool_call>\n{"name": "view", "arguments": {"pth"',
            "auto",
            '<tool_call>\n{"name": "view", "arguments": {"',
            False,
        ),
        ("The tag <tool_call> begins a call.", "auto", "The tag <tool_call> begins a call.", True),
        ("Just text.", "required", "Just text.", False),
        (f"Now:\n{CALL}", "required", f"Now:\n{CALL}", True),
    ],
)
def test_what_a_grammar_lets_through(grammars, text, choice, let, end):
    tokenizer, made = grammars
    constraint = made.start(made.for_calls(TOOLS, DESCRIBED, choice))
    assert allowed(tokenizer, constraint, text) == (let, end)


VIEW = "<tool_call>\n<function=view>\n<parameter=path>\na.py\n</parameter>"
END = "\n</function>\n</tool_call>"


@pytest.mark.parametrize(
    ("text", "let"),
    [
        (f"Now:\n{VIEW}{END}", f"Now:\n{VIEW}{END}"),
        (
            f"{VIEW}\n<parameter=start>\n12\n</parameter>{END}",
            f"{VIEW}\n<parameter=start>\n12\n</parameter>{END}",
        ),
        (f"{VIEW}\n<parameter=start>\nfirst", f"{VIEW}\n<parameter=start>\n"),
        ("<tool_call>\n<function=view>\n<parameter=start>", "<tool_call>\n<function=view>\n<parameter="),
        (f"<tool_call>\n<function=submit>{END}", f"<tool_call>\n<function=submit>{END}"),
        ("<tool_call>\n<function=rm>", "<tool_call>\n<function="),
    ],
)
def test_arguments_between_tags(grammars, text, let):
    tokenizer, made = grammars
    constraint = made.start(made.for_calls(TOOLS, CODER, "auto"))
    assert allowed(tokenizer, constraint, text)[0] == let


def test_markers_that_are_tokens_of_their_own(grammars):
    tokenizer, made = grammars
    call = '[TOOL_CALLS]view[ARGS]{"path": "a.py"}'
    for choice in ("auto", "required"):
        constraint = made.start(made.for_calls(TOOLS, SPECIAL, choice))
        assert allowed(tokenizer, constraint, f"Look.{call}{call}") == (f"Look.{call}{call}", True)
        constraint = made.start(made.for_calls(TOOLS, SPECIAL, choice))
        assert allowed(tokenizer, constraint, "Look.[TOOL_CALLS]open")[0] == "Look.[TOOL_CALLS]"


def test_a_whole_answer_by_a_schema(engine):
    running = engine()
    grammar = running.grammars.for_json(SCHEMAS["view"])
    for seed in range(10):
        made = running.submit(PROMPT, Sampling(max_tokens=200, seed=seed), grammar=grammar).result.result(60)
        jsonschema.validate(json.loads(made.text), SCHEMAS["view"])


def test_a_schema_that_is_none_is_one_sentence(engine):
    running = engine()
    with pytest.raises(ConfigError, match="no grammar can be made of this"):
        running.submit(PROMPT, Sampling(), grammar=running.grammars.for_json({"type": "strange"}))


def test_the_tools_of_the_gym_have_grammars(grammars):
    from debug_gym import plugins
    from debug_gym.tools.base import Toolbox

    _, made = grammars
    tools = Toolbox(plugins.names("tools")).schemas()
    assert len(tools) >= 10
    assert made.start(made.for_calls(tools, DESCRIBED, "required")).mask().any()


def test_a_model_may_have_more_logits_than_its_tokenizer_has_tokens(tokenizer):
    engine = Engine(ServedModels(make_model(vocab=len(tokenizer) + 37)), tokenizer)
    try:
        grammar = engine.grammars.for_calls(TOOLS, DESCRIBED, "required", thought=0)
        made = engine.submit(PROMPT, Sampling(max_tokens=1000, seed=0), grammar=grammar).result.result(60)
        check(made.text)
    finally:
        engine.close()
