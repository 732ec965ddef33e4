"""Building a library: what is learned, that nothing is lost to a kill, and that clusters and skills are real."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from debug_gym.errors import LibraryError
from debug_gym.lora import ExpertLibrary, ExpertStack, Uniform, attach
from debug_gym.lora.adapter import AdapterConfig, write_config, write_pairs
from debug_gym.lora.expert import ExpertCard
from debug_gym.lora.merge import write_adapter
from debug_gym.lora.routing import Folded, PolyRouting
from debug_gym.lora.stack import ModuleStack
from debug_gym.lora.train import (
    Example,
    PolySettings,
    TrainingSettings,
    add_skills,
    build_experts,
    cluster,
    encode,
    fit_task,
    group,
    read_examples,
    similarity,
    train_expert,
    train_poly,
    tune_task,
)
from debug_gym.lora.train.data import IGNORED, Encoded, collate, pack
from debug_gym.lora.train.experts import rows_of
from debug_gym.lora.train.fit import last_checkpoint

from .conftest import make_model
from .tiny_tokenizer import REWRITING, WORDS, make_tokenizer

TALK = [
    {"role": "user", "content": "w1 w2"},
    {"role": "assistant", "content": "w3", "tool_calls": [{"function": {"name": "view", "arguments": "w4"}}]},
    {"role": "tool", "content": "w5 w6"},
    {"role": "assistant", "content": "w7"},
]


def learned(one, tokenizer):
    return tokenizer.decode([label for label in one.labels if label != IGNORED])


def task(step, name, count=12):
    """To answer with the word that is ``step`` further on."""
    return [
        Example(
            task=name,
            messages=[
                {"role": "user", "content": WORDS[at % 60]},
                {"role": "assistant", "content": WORDS[(at * step) % 60]},
            ],
        )
        for at in range(1, count + 1)
    ]


SETTINGS = TrainingSettings(
    rank=4,
    alpha=8,
    learning_rate=5e-3,
    max_steps=8,
    batch=2,
    accumulate=2,
    max_length=24,
    checkpoint_every=2,
    log_every=1,
)


def loss(model, rows):
    with torch.no_grad():
        return float(torch.stack([model(**collate([row]), use_cache=False).loss for row in rows]).mean())


def test_only_what_the_assistant_says_and_calls_is_learned():
    tokenizer = make_tokenizer()
    tools = [{"type": "function", "function": {"name": "grep", "parameters": {}}}]
    (one,) = encode(Example(messages=TALK, tools=tools), tokenizer, 100)
    assert learned(one, tokenizer) == "w3 <call> view w4 <end> w7 <end>"
    assert "<tools> grep </tools>" in tokenizer.decode(one.ids)


def test_a_template_that_rewrites_earlier_turns_gives_a_sequence_a_turn():
    tokenizer = make_tokenizer(REWRITING)
    first, second = encode(Example(messages=TALK), tokenizer, 100)
    assert (learned(first, tokenizer), learned(second, tokenizer)) == ("w3 <end>", "w7 <end>")
    assert "w3" not in tokenizer.decode(second.ids)


def test_what_does_not_fit_is_cut_and_what_has_nothing_left_is_dropped():
    tokenizer = make_tokenizer()
    (whole,) = encode(Example(messages=TALK), tokenizer, 100)
    (cut,) = encode(Example(messages=TALK), tokenizer, 6)
    assert cut == Encoded(whole.ids[:6], whole.labels[:6])
    assert encode(Example(messages=TALK), tokenizer, 3) == []
    with pytest.raises(LibraryError, match="no turn of the assistant"):
        encode(Example(messages=TALK[:1] * 2), tokenizer, 100)


def test_packed_sequences_do_not_see_each_other(model):
    """The loss of a packed row is that of its sequences apart, padding or not."""
    torch.manual_seed(0)
    sequences = [Encoded(ids, [IGNORED, *ids[1:]]) for ids in torch.randint(3, 96, (3, 7)).tolist()]
    apart = [
        model(input_ids=torch.tensor([one.ids]), labels=torch.tensor([one.labels])).loss.detach()
        for one in sequences
    ]
    rows = pack(sequences, 14)
    assert [len(row["input_ids"]) for row in rows] == [14, 7]
    with torch.no_grad():
        packed = model(**collate(rows), use_cache=False).loss  # as the Trainer calls it
    torch.testing.assert_close(packed, torch.stack(apart).mean(), atol=1e-5, rtol=0)


def test_reading_examples(tmp_path):
    path = tmp_path / "data.jsonl"
    lines = [json.dumps({"messages": TALK, "task": name}) for name in ("a", "b", "a")]
    path.write_text("\n".join(lines) + "\n\n")
    tasks = group(read_examples(path))
    assert {name: len(found) for name, found in tasks.items()} == {"a": 2, "b": 1}
    for line, words in (("{", "line 2 is no JSON"), ('{"messages": []}', "line 2 is no example: messages")):
        path.write_text(lines[0] + "\n" + line)
        with pytest.raises(LibraryError, match=words):
            read_examples(path)
    with pytest.raises(LibraryError, match="cannot be read"):
        read_examples(tmp_path / "nothing")


def test_experts_learn_their_tasks_and_the_base_stays(tmp_path, model):
    tokenizer, library = make_tokenizer(), ExpertLibrary.create(tmp_path / "library", base="tiny/base")
    tasks = {"double": task(2, "double"), "triple": task(3, "triple")}
    before = {key: value.clone() for key, value in model.state_dict().items()}
    seen = []
    settings = SETTINGS.model_copy(update={"max_steps": 40, "checkpoint_every": 40})
    made = build_experts(
        library,
        model,
        tokenizer,
        tasks,
        settings,
        tmp_path / "work",
        on_progress=lambda *a: seen.append(a[:2]),
    )
    assert [expert.name for expert in made] == ["double", "triple"] and (40, 40) in seen
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())
    curve = json.loads((tmp_path / "work" / "double" / "curve.json").read_text())
    assert curve[-1]["loss"] < curve[0]["loss"] and curve[-1]["step"] == 40
    card = library["double"].card
    assert card.metrics["loss"] == curve[-1]["loss"] and card.trained_on == "12 examples of double"
    assert card.made_by["training"]["rank"] == 4
    routed, losses = attach(model, library), {}
    for expert in (None, "double", "triple"):
        routed.use(expert)
        for name, examples in tasks.items():
            losses[expert, name] = loss(model, rows_of(examples, tokenizer, 24))
    for name, other in (("double", "triple"), ("triple", "double")):
        assert losses[name, name] < losses[None, name] - 0.3 and losses[name, name] < losses[other, name]
    routed.detach()
    assert build_experts(library, model, tokenizer, tasks, settings, tmp_path / "work") == []


def test_training_from_a_mean_of_experts_starts_there(tmp_path, model, library):
    """MHR-mu: the first loss is the mean's own, not the base's."""
    tokenizer, examples = make_tokenizer(), task(2, "double")
    mine = ExpertLibrary.create(tmp_path / "library", base="tiny/base")
    plan = Uniform(space="parameters").plan(library.stack())
    assert isinstance(plan, Folded)
    settings = SETTINGS.model_copy(
        update={"max_steps": 1, "learning_rate": 1e-9, "batch": 8, "accumulate": 1}
    )
    train_expert(mine, "mean", model, tokenizer, examples, settings, tmp_path / "work", start=plan.pairs)
    got = {key: one.scaled_b() @ one.A for key, one in mine.stack().items()}
    for module, (a, b) in plan.pairs.items():
        torch.testing.assert_close(got[module][0], b @ a, atol=1e-5, rtol=1e-4)
    with pytest.raises(LibraryError, match="rank 4"):
        wrong = settings.model_copy(update={"rank": 2})
        train_expert(mine, "x", model, tokenizer, examples, wrong, tmp_path / "x", start=plan.pairs)


def test_a_name_that_cannot_be_is_refused_before_training(tmp_path, model):
    library = ExpertLibrary.create(tmp_path / "library", base="tiny/base")
    with pytest.raises(LibraryError, match="no name"):
        train_expert(library, "a+b", model, make_tokenizer(), task(2, "t"), SETTINGS, tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_nothing_to_train_on_is_a_sentence(tmp_path, model):
    library = ExpertLibrary.create(tmp_path / "library", base="tiny/base")
    settings = SETTINGS.model_copy(update={"max_length": 2})
    with pytest.raises(LibraryError, match="nothing to train on"):
        train_expert(library, "x", model, make_tokenizer(), task(2, "t"), settings, tmp_path / "work")
    assert not hasattr(model, "peft_config")


CHILD = """
import sys
sys.path.insert(0, {root!r})
import warnings
from pathlib import Path
from tests.lora.conftest import make_model
from tests.lora.test_train import SETTINGS, task
from tests.lora.tiny_tokenizer import make_tokenizer
from debug_gym.lora import ExpertLibrary
from debug_gym.lora.train import train_expert
folder = Path(sys.argv[1])
library = ExpertLibrary.create(folder / "library", base="tiny/base")
tell = lambda step, last, measured: print(step, flush=True)
train_expert(library, "e", make_model(), make_tokenizer(), task(2, "t"), SETTINGS, folder / "work", on_progress=tell)
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_in_training_it_goes_on_and_ends_the_same(tmp_path, model):
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-W", "ignore", "-c", CHILD.format(root=root), str(tmp_path / "killed")]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    for line in child.stdout:
        if line == "5\n":
            child.send_signal(signal.SIGKILL)
            break
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    (tmp_path / "killed" / "work" / "checkpoint-99").mkdir()  # a half that a kill while saving leaves
    steps, weights, curves = {}, {}, {}
    for name in ("whole", "killed"):
        library, steps[name] = ExpertLibrary.create(tmp_path / name / "library", base="tiny/base"), []
        tell = lambda step, last, measured: steps[name].append(step)  # noqa: B023, E731
        work = tmp_path / name / "work"
        expert = train_expert(
            library, "e", model, make_tokenizer(), task(2, "t"), SETTINGS, work, on_progress=tell
        )
        weights[name] = load_file(expert.folder / "adapter_model.safetensors")
        curves[name] = json.loads((work / "curve.json").read_text())
    assert steps["whole"][0] == 1 and steps["killed"][0] == 5
    for key, value in weights["whole"].items():
        torch.testing.assert_close(weights["killed"][key], value, atol=1e-6, rtol=1e-5)
    assert [entry["step"] for entry in curves["killed"]] == [entry["step"] for entry in curves["whole"]]


def test_the_newest_whole_checkpoint_counts(tmp_path):
    assert last_checkpoint(tmp_path) is None
    for step in (9, 10):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    (tmp_path / "checkpoint-11").mkdir()
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-10"
    assert not (tmp_path / "checkpoint-11").exists()


def families(independent):
    """Four functions, three experts of each, disturbed; A and B of each rotated by a G of its own, or not."""
    torch.manual_seed(5)
    true = [(torch.randn(4, 30), torch.randn(40, 4)) for _ in range(4)]
    A, B = [], []
    for expert in range(12):
        a, b = true[expert // 3]
        turn = torch.linalg.qr(torch.randn(4, 4))[0] if independent else torch.eye(4)
        A.append(turn @ (a + 0.3 * torch.randn_like(a)))
        B.append((b + 0.3 * torch.randn_like(b)) @ turn.T)
    ones = torch.ones(12)
    return ExpertStack(
        [f"e{at:02}" for at in range(12)], {"m": ModuleStack(torch.stack(A), torch.stack(B), ones, ones > 0)}
    )


def test_clustering_finds_alike_functions_whatever_their_factors():
    wanted = [[f"e{3 * family + at:02}" for at in range(3)] for family in range(4)]
    assert cluster(families(independent=True), 4) == wanted
    assert cluster(families(independent=False), 4, "parameters") == wanted
    assert cluster(families(independent=True), 4, "parameters") != wanted  # why functions are compared


def test_similarity_is_the_cosine_of_the_products(library):
    stack = library.stack()
    flat = torch.cat([(one.scaled_b() @ one.A).double().flatten(1) for one in stack.values()], 1)
    wanted = torch.nn.functional.normalize(flat, dim=1)
    torch.testing.assert_close(similarity(stack), wanted @ wanted.T, atol=1e-6, rtol=0)
    with pytest.raises(LibraryError, match="7 clusters"):
        cluster(stack, 7)


@pytest.mark.parametrize("heads", [1, 2])
def test_skills_are_learned_jointly_and_a_new_task_by_z_alone(tmp_path, model, heads):
    tokenizer = make_tokenizer()
    tasks = {name: rows_of(task(step, name), tokenizer, 24) for step, name in ((2, "double"), (3, "triple"))}
    settings = PolySettings(
        **{**SETTINGS.model_dump(), "targets": ("q_proj", "up_proj", "down_proj"), "max_steps": 60,
           "learning_rate": 2e-2, "checkpoint_every": 60}, skills=3, heads=heads,
    )  # fmt: skip
    before = {name: loss(model, rows) for name, rows in tasks.items()}
    skills, routing = train_poly(model, tasks, settings, tmp_path / "poly")
    assert not hasattr(model.model.layers[0].mlp.up_proj, "poly_lora_A")
    library = ExpertLibrary.create(tmp_path / "library", base="tiny/base")
    add_skills(library, skills, routing, "routing.safetensors")
    PeftModel.from_pretrained(make_model(), library["skill-1"].folder)  # an ordinary adapter
    routed = attach(model, library)
    for name, rows in tasks.items():
        routed.use(routing.task(name))
        assert loss(model, rows) < before[name] - 0.3
    routed.detach()
    weights = {name: (library[name].folder / "adapter_model.safetensors").read_bytes() for name in library}
    few = SETTINGS.model_copy(update={"max_steps": 30, "learning_rate": 0.3, "checkpoint_every": 30})
    more = fit_task(model, library, routing, "again", tasks["double"], few, tmp_path / "z")
    assert more.tasks == ("double", "triple", "again")
    assert weights == {
        name: (library[name].folder / "adapter_model.safetensors").read_bytes() for name in library
    }
    routed = attach(model, library, Uniform(space="parameters"))
    even = loss(model, tasks["double"])
    routed.use(more.task("again"))
    by_z = loss(model, tasks["double"])
    assert by_z < even
    routed.detach()
    slow = few.model_copy(update={"learning_rate": 2e-2})
    tuned = tune_task(model, library, routing, "again", tasks["double"], slow, tmp_path / "tuned")
    assert len(tuned["model.layers.0.self_attn.q_proj"][0]) == settings.rank
    assert weights == {
        name: (library[name].folder / "adapter_model.safetensors").read_bytes() for name in library
    }
    (tmp_path / "adapter").mkdir()
    write_adapter(tmp_path / "adapter", tuned, "tiny/base")
    library.add(tmp_path / "adapter", "tuned")
    attach(model, library, "tuned")
    assert loss(model, tasks["double"]) < even


def test_skills_of_different_scales_were_not_trained_together(tmp_path, model):
    library = ExpertLibrary.create(tmp_path / "library", base="tiny/base")
    torch.manual_seed(0)
    pairs = {"model.layers.0.self_attn.q_proj": (torch.randn(2, 32), torch.randn(32, 2))}
    for name, alpha in (("s", 1), ("t", 2)):

        def fill(folder, alpha=alpha):
            write_config(folder, AdapterConfig(r=2, lora_alpha=alpha))
            write_pairs(folder, pairs)

        library.write(name, fill, ExpertCard())
    routing = PolyRouting(("a",), ("s", "t"), {module: torch.zeros(1, 1, 2) for module in pairs})
    rows = rows_of(task(2, "b"), make_tokenizer(), 24)
    with pytest.raises(LibraryError, match="different scales"):
        fit_task(model, library, routing, "b", rows, SETTINGS, tmp_path / "z")
