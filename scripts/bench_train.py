"""Measure the gym's share of a GRPO step: sandboxes, tools and the judge beside generation and the update.

    python scripts/bench_train.py --width 512 --layers 8 --json train.json
    python scripts/bench_train.py --width 576 --layers 30 --steps 3

The weights are random and computed with in earnest, each token of each reply; what the model "says" is then
what the oracle would: a look, the fix, the tests. So every rollout changes files and is judged, which costs
most. The first step, in which sandboxes are warmed up, does not count. docs/training.md has figures.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from learning import tiny
from transformers import Qwen2Config, Qwen2ForCausalLM

from debug_gym.agents.llm.settings import LLMSettings
from debug_gym.benchmarks.sprouts import Sprouts
from debug_gym.lora.train.data import IGNORED
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import execute
from debug_gym.store.exports.conversations import Conversation
from debug_gym.training.grpo import grpo
from debug_gym.training.learner import Goal, Learner
from debug_gym.training.settings import GRPOSettings
from debug_gym.training.sft import encoded
from debug_gym.training.sources import Source

GOAL = 0.10
TOOLS = ("view", "rewrite", "eval")
Script = dict[tuple[int, ...], list[int]]
"""All tokens so far to those of the next reply."""


def main() -> int:
    """0: measured; 1: a rollout was not played as it should be."""
    options = _options()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as scratch:
        curve = _measure(options, Path(scratch))
    if any(point["reward"] != 1.0 for point in curve):
        print("a rollout of the oracle's calls was not rewarded: nothing is measured", file=sys.stderr)
        return 1
    rows = curve[1:]
    seconds, gym = (statistics.median(point[key] for point in rows) for key in ("seconds", "gym_seconds"))
    share = statistics.median(point["gym_seconds"] / point["seconds"] for point in rows)
    rollouts = options.prompts * options.group
    print(f"{rollouts} rollouts a step, {len(rows)} steps, {options.parameters / 1e6:.1f} M weights")
    each = 1000 * gym / rollouts
    print(f"a step takes {seconds:.2f} s, the gym {gym:.2f} s of them ({each:.0f} ms a rollout)")
    print(f"the gym's share: {100 * share:.1f} % (goal: at most {100 * GOAL:.0f} %)")
    if options.json:
        told = {"weights": options.parameters, "rollouts": rollouts, "share": share, "steps": rows}
        options.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0


def _measure(options: argparse.Namespace, folder: Path) -> list[dict[str, float]]:
    tasks = Sprouts().split("train")[: options.steps * options.prompts]
    config = RunConfig(
        benchmark="sprouts",
        agent="oracle",
        agent_options={"by": "edits"},
        tasks=tasks,
        tools=TOOLS,
        output=folder / "run",
    )
    execute(prepare(config))
    (folder / "system.j2").write_text("")
    (folder / "instance.j2").write_text("{{ task.problem }}")
    prompts = {f"{name}_template": str(folder / f"{name}.j2") for name in ("system", "instance")}
    episodes = list(Source([folder / "run"], options=prompts).conversations())
    _save_model(options, episodes, folder / "model")
    settings = GRPOSettings(
        steps=options.steps,
        prompts=options.prompts,
        group=options.group,
        batch=options.batch,
        calls=len(TOOLS),
        checkpoint_every=10**6,
        cpu=options.cpu,
    )
    with Learner(str(folder / "model"), Goal(output=folder / "out"), settings) as learner:
        options.parameters = sum(weight.numel() for weight in learner.model.parameters())
        _follow(learner.model, _script(episodes, learner.tokenizer), learner.tokenizer.pad_token_id)
        agent = LLMSettings.model_validate(prompts)
        return grpo(learner, Sprouts(), tasks, TOOLS, settings, agent=agent)


def _save_model(options: argparse.Namespace, episodes: Iterable[Conversation], folder: Path) -> None:
    texts = [str(message) for one in episodes for message in one.messages]
    tokenizer = tiny.make_tokenizer(texts)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=options.width,
        intermediate_size=3 * options.width,
        num_hidden_layers=options.layers,
        num_attention_heads=options.width // 64,
        num_key_value_heads=options.width // 64,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    tiny.save(Qwen2ForCausalLM(config), tokenizer, folder)


def _script(episodes: Iterable[Conversation], tokenizer: Any) -> Script:
    script: Script = {}
    end = tokenizer.eos_token_id
    for episode in episodes:
        (one,) = encoded(episode, tokenizer, 10**6)
        for at, (before, label) in enumerate(zip([IGNORED, *one.labels], one.labels, strict=False)):
            if before == IGNORED != label:
                script[tuple(one.ids[:at])] = one.ids[at : one.ids.index(end, at) + 1]
    return script


def _follow(model: Any, script: Script, pad: int) -> None:
    """Let the model compute as many tokens as the script has, and say those."""
    generate = model.generate

    def scripted(*, input_ids: torch.Tensor, **more: Any) -> torch.Tensor:
        prompts = [tuple(token for token in row if token != pad) for row in input_ids.tolist()]
        replies = [script[prompt] for prompt in prompts]
        longest = max(map(len, replies))
        more["generation_config"].update(min_new_tokens=longest, max_new_tokens=longest)
        out: torch.Tensor = generate(input_ids=input_ids, **more)
        out[:, input_ids.shape[1] :] = pad
        for row, reply in zip(out, replies, strict=True):
            row[input_ids.shape[1] : input_ids.shape[1] + len(reply)] = torch.tensor(reply)
        return out

    model.generate = scripted


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--width", type=int, default=512, help="of the model, a multiple of 64")
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--prompts", type=int, default=2, help="tasks in a step")
    parser.add_argument("--group", type=int, default=8, help="rollouts of each")
    parser.add_argument("--batch", type=int, default=8, help="rollouts in one forward pass of the update")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of torch")
    parser.add_argument("--cpu", action="store_true", help="though there is a GPU")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
