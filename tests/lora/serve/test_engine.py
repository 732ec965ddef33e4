"""The engine against ``generate`` of transformers, one request at a time."""

import threading
import time

import pytest
import torch
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from debug_gym.errors import ConfigError, UnknownNameError
from debug_gym.lora import Arrow, Uniform, attach
from debug_gym.lora.routing import PrefixLikelihood, Spectr
from debug_gym.lora.serve.request import EngineBusyError, EngineError, PromptTooLongError
from debug_gym.lora.serve.sampling import Sampling

from .conftest import ENDLESS

GREEDY = {"temperature": 0.0}
SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
    "eos_token_id": 2,
    "bos_token_id": 1,
    "pad_token_id": 0,
}
KINDS = ["sliding_attention", "full_attention", "sliding_attention"]
ARCHITECTURES = {
    "llama": lambda v: LlamaForCausalLM(LlamaConfig(vocab_size=v, **SHAPE)),
    "eager": lambda v: LlamaForCausalLM(LlamaConfig(vocab_size=v, attn_implementation="eager", **SHAPE)),
    "qwen3": lambda v: Qwen3ForCausalLM(Qwen3Config(vocab_size=v, head_dim=8, **SHAPE)),
    "mistral": lambda v: MistralForCausalLM(MistralConfig(vocab_size=v, sliding_window=24, **SHAPE)),
    "gemma3": lambda v: Gemma3ForCausalLM(
        Gemma3TextConfig(vocab_size=v, head_dim=8, sliding_window=16, layer_types=KINDS, **SHAPE)
    ),
    "gpt2": lambda v: GPT2LMHeadModel(
        GPT2Config(
            vocab_size=v, n_embd=32, n_layer=2, n_head=4, n_positions=2048, eos_token_id=2, bos_token_id=1
        )
    ),
}


def prompts(vocabulary, *lengths, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(3, vocabulary, (length,), generator=generator).tolist() for length in lengths]


def generate(model, prompt, count):
    ids = torch.tensor([prompt])
    with torch.inference_mode():
        made = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=count,
            do_sample=False,
            eos_token_id=2,
            pad_token_id=0,
        )
    return made[0, len(prompt) :].tolist()


def endless(engine, prompt):
    return engine.submit(prompt, Sampling(max_tokens=1900), grammar=engine.grammars.for_json(ENDLESS))


def ids(generated):
    return [token.id for token in generated.tokens]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_batch_that_changes_writes_what_generate_writes(engine, vocabulary, architecture):
    torch.manual_seed(0)
    model = ARCHITECTURES[architecture](vocabulary).eval()
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    asked = prompts(vocabulary, 5, 300, 40, 7, 64, 31)
    asked += [[*asked[1][:280], 5, 6, 7], [*asked[1], 9], asked[2]]
    running = engine(model, max_batch=4)
    requests = [
        running.submit(prompt, Sampling(max_tokens=12 + 3 * number, **GREEDY))
        for number, prompt in enumerate(asked)
    ]
    for number, (prompt, request) in enumerate(zip(asked, requests, strict=True)):
        assert ids(request.result.result(60)) == generate(model, prompt, 12 + 3 * number)


def test_a_conversation_goes_on_where_it_stopped(engine, talker, vocabulary):
    running = engine(max_batch=2)
    (prompt,) = prompts(vocabulary, 50)
    for turn in range(4):
        made = running.submit(prompt, Sampling(max_tokens=10, **GREEDY)).result.result(60)
        assert ids(made) == generate(talker, prompt, 10)
        assert made.cached_tokens >= (0 if turn == 0 else len(prompt) - 6)
        prompt = [*prompt, *ids(made), 5, 6, 7, 8]


def test_many_conversations_keep_their_rows(engine, vocabulary):
    running = engine(max_batch=4)
    talks = prompts(vocabulary, 40, 40, 40, 40)
    for _ in range(3):
        for number, prompt in enumerate(talks):
            made = running.submit(prompt, Sampling(max_tokens=5, **GREEDY)).result.result(60)
            talks[number] = [*prompt, *ids(made), 9]
    assert running.totals["cached_tokens"] >= 0.9 * (4 * (44 + 50))


def test_what_is_shared_with_a_running_request_is_computed_once(engine, talker, vocabulary):
    running = engine(max_batch=8)
    (shared,) = prompts(vocabulary, 200)
    requests = [running.submit([*shared, 3 + n], Sampling(max_tokens=40, **GREEDY)) for n in range(8)]
    made = [request.result.result(60) for request in requests]
    assert [one.cached_tokens for one in made] == [0] + 7 * [200]
    assert [ids(one) for one in made] == [generate(talker, [*shared, 3 + n], 40) for n in range(8)]


def test_a_seed_gives_the_same_alone_and_in_company(engine, vocabulary):
    running = engine(max_batch=8)
    (prompt,) = prompts(vocabulary, 20)

    def draw(*seeds):
        requests = [running.submit(prompt, Sampling(max_tokens=20, seed=seed)) for seed in seeds]
        return [ids(request.result.result(60)) for request in requests]

    first, second = draw(1)[0], draw(2)[0]
    assert first != second
    assert draw(5, 2, 6, 1, 7) == [draw(5)[0], second, draw(6)[0], first, draw(7)[0]]
    assert draw(None) != draw(None)


def test_logprobs_are_those_of_the_model(engine, talker, vocabulary):
    (prompt,) = prompts(vocabulary, 20)
    sampling = Sampling(max_tokens=6, seed=3, temperature=0.7, top_k=5, top_logprobs=3)
    made = engine().submit(prompt, sampling).result.result(60)
    with torch.no_grad():
        logits = talker(torch.tensor([[*prompt, *ids(made)]])).logits[0, len(prompt) - 1 : -1]
    for token, row in zip(made.tokens, logits, strict=True):
        raw = row.log_softmax(-1)
        assert token.logprob == pytest.approx(float(raw[token.id]), abs=1e-4)
        best = raw.topk(3)
        assert [number for number, _ in token.top] == best.indices.tolist()
        drawn = (row.topk(5).values / 0.7).log_softmax(-1)
        place = row.topk(5).indices.tolist().index(token.id)
        assert token.sampled == pytest.approx(float(drawn[place]), abs=1e-4)


def test_every_row_has_its_own_experts(engine, talker, talkers_library, vocabulary):
    asked = prompts(vocabulary, 30, 30, 30, 30, 30, 30)
    names = ["base", "ants", "bees", "arrow", "uniform", "arrow"]
    expected = []
    for name, prompt in zip(names, asked, strict=True):
        router = {"base": None, "arrow": Arrow(), "uniform": Uniform()}.get(name, name)
        routed = attach(talker, talkers_library, router)
        expected.append(generate(talker, prompt, 12))
        routed.detach()
    assert len({tuple(made) for made in expected}) > 3
    running = engine(library=talkers_library, routers=(Arrow(), Uniform(), Spectr()), max_batch=6)
    for _ in range(2):  # the second time from the cache
        requests = [
            running.submit(prompt, Sampling(max_tokens=12, **GREEDY), model=name)
            for name, prompt in zip(names, asked, strict=True)
        ]
        assert [ids(request.result.result(60)) for request in requests] == expected


def test_tokens_are_not_shared_between_experts(engine, talkers_library, vocabulary):
    running = engine(library=talkers_library, routers=(PrefixLikelihood(),))
    (prompt,) = prompts(vocabulary, 30)

    def ask(name):
        return running.submit(prompt, Sampling(max_tokens=3, **GREEDY), model=name).result.result(60)

    assert [ask(name).cached_tokens for name in ("ants", "bees", "cats", "ants")] == [0, 0, 0, 29]
    chosen = ask("likelihood")
    assert ids(chosen) in [ids(ask(name)) for name in talkers_library]
    with pytest.raises(UnknownNameError, match="dogs"):
        ask("dogs")


def test_a_conversation_keeps_the_expert_that_was_chosen_for_it(engine, talkers_library, vocabulary):
    class Counting(PrefixLikelihood):
        asked = 0

        def choose(self, *arguments):
            Counting.asked += 1
            return super().choose(*arguments)

    running = engine(library=talkers_library, routers=(Counting(),))
    first, other = prompts(vocabulary, 80, 80)
    for prompt, count in (
        (first, 1),
        ([*first, 5, 6], 1),
        (other, 2),
        ([*first, 5, 6, 7], 2),
        ([9, *first], 3),
    ):
        running.submit(prompt, Sampling(max_tokens=2), model="likelihood").result.result(60)
        assert Counting.asked == count


def test_stop_strings_end_a_reply_and_are_not_in_it(engine, vocabulary):
    running = engine()
    (prompt,) = prompts(vocabulary, 20)
    whole = running.submit(prompt, Sampling(max_tokens=60, seed=1)).result.result(60)
    stop = whole.text[20:23]
    heard = []
    request = running.submit(
        prompt, Sampling(max_tokens=60, seed=1, stop=(stop,)), listener=lambda text, token: heard.append(text)
    )
    made = request.result.result(60)
    assert made.text == whole.text[: whole.text.index(stop)]
    assert made.finish_reason == "stop"
    assert made.text.startswith("".join(heard))


def test_length_and_end(engine, vocabulary):
    (prompt,) = prompts(vocabulary, 20)
    running = engine(max_length=40)
    made = running.submit(prompt, Sampling(seed=1)).result.result(60)
    assert (made.finish_reason, len(made.tokens)) == ("length", 20)
    first = ids(running.submit(prompt, Sampling(max_tokens=1, **GREEDY)).result.result(60))[0]
    made = running.submit(prompt, Sampling(stop_tokens=(first,), **GREEDY)).result.result(60)
    assert (made.finish_reason, made.text, ids(made)) == ("stop", "", [first])


def test_what_does_not_fit_is_refused(engine, vocabulary):
    running = engine(max_length=64)
    with pytest.raises(PromptTooLongError, match=r"65 tokens.*64.*context length"):
        running.submit(prompts(vocabulary, 65)[0], Sampling())
    with pytest.raises(PromptTooLongError, match="empty"):
        running.submit([], Sampling())
    small = engine(cache_bytes=10_000)
    with pytest.raises(PromptTooLongError, match="no memory"):
        small.submit(prompts(vocabulary, 65)[0], Sampling(max_tokens=10)).result.result(60)


def test_memory_for_one_serves_many_after_each_other(engine, talker, vocabulary):
    running = engine(cache_bytes=256 * 256)  # 256 columns of one row; a token has 256 bytes
    asked = prompts(vocabulary, 40, 50, 60)
    requests = [running.submit(prompt, Sampling(max_tokens=10, **GREEDY)) for prompt in asked]
    assert [ids(request.result.result(60)) for request in requests] == [
        generate(talker, p, 10) for p in asked
    ]


def test_too_many_are_told_so(engine, vocabulary):
    running = engine(max_batch=1, max_waiting=2)
    (prompt,) = prompts(vocabulary, 20)
    requests = []
    with pytest.raises(EngineBusyError, match="are waiting already"):
        requests.extend(endless(running, prompt) for _ in range(5))
    assert running.totals["refused"] == 1
    for request in requests:
        request.cancel()
    assert requests[0].result.result(60).finish_reason == "cancelled"
    assert running.submit(prompt, Sampling(max_tokens=2)).result.result(60).tokens


def test_what_is_given_up_while_it_begins_ends_alone(engine, vocabulary, monkeypatch):
    running = engine()
    first, second = prompts(vocabulary, 20, 20)
    choose, beginning, given_up = running.served.choose, threading.Event(), threading.Event()

    def slow(model, prompt):
        beginning.set()
        assert given_up.wait(60)
        return choose(model, prompt)

    monkeypatch.setattr(running.served, "choose", slow)
    lost = running.submit(first, Sampling(max_tokens=50))
    assert beginning.wait(60)
    lost.cancel()
    given_up.set()
    assert lost.result.result(60).finish_reason == "cancelled"
    assert running.submit(second, Sampling(max_tokens=2)).result.result(60).tokens


def test_a_listener_that_fails_ends_its_own_request_only(engine, vocabulary):
    running = engine()
    first, second = prompts(vocabulary, 20, 20)

    def gone(text, token):
        raise RuntimeError("the client is gone")

    lost = running.submit(first, Sampling(max_tokens=50), listener=gone)
    kept = running.submit(second, Sampling(max_tokens=50, seed=4))
    assert lost.result.result(60).finish_reason == "cancelled"
    assert kept.result.result(60).finish_reason in ("length", "stop")


def test_after_a_step_that_failed_the_engine_goes_on(engine, talker, vocabulary):
    running = engine()
    (prompt,) = prompts(vocabulary, 20)
    poison = [*prompts(vocabulary, 20, seed=2)[0], vocabulary + 5]  # no such token: the embedding fails
    with pytest.raises(EngineError, match="generation failed: IndexError"):
        running.submit(poison, Sampling(max_tokens=5)).result.result(60)
    made = running.submit(prompt, Sampling(max_tokens=5, **GREEDY)).result.result(60)
    assert ids(made) == generate(talker, prompt, 5)


def test_closing_leaves_nobody_waiting(engine, vocabulary):
    running = engine(max_batch=1)
    (prompt,) = prompts(vocabulary, 20)
    requests = [endless(running, prompt) for _ in range(3)]
    running.close()
    for request in requests:
        with pytest.raises(EngineError, match="closed"):
            request.result.result(5)
    with pytest.raises(EngineError, match="closed"):
        running.submit(prompt, Sampling())


def test_an_idle_engine_costs_nothing(engine):
    running = engine()
    began = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - began < 0.1
    assert any(thread.name == "engine" for thread in threading.enumerate())
    assert running.load == {"running": 0, "waiting": 0}


def test_a_model_with_another_state_is_refused(engine, vocabulary):
    model = ARCHITECTURES["llama"](vocabulary)
    model.config.layer_types = ["linear_attention", "full_attention", "full_attention"]
    with pytest.raises(ConfigError, match=r"layers of the kind linear_attention.*serve it with vLLM"):
        engine(model)
