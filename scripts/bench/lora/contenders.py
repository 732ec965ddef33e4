"""What is measured: the base, ours, PEFT with one adapter, PEFT's Arrow; and that it is right."""

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from bench.lora.shapes import Shape
from peft import ArrowConfig, PeftModel, create_arrow_model
from torch import Tensor
from transformers import DynamicCache, Qwen2Config, Qwen2ForCausalLM, StaticCache

from debug_gym.lora import Arrow, ExpertLibrary, RoutedModel, attach
from debug_gym.lora.adapter import AdapterConfig, write_config, write_pairs

STEPS = 8
"""Decoding steps in one measured call."""


class NotEqualError(Exception):
    """What is measured does not compute what it must: its time would mean nothing."""


def base(shape: Shape, device: str, dtype: torch.dtype) -> Any:
    """The same random weights each time."""
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        tie_word_embeddings=True,
        dtype=dtype,
    )
    with torch.device(device):
        return Qwen2ForCausalLM(config).to(dtype).eval()


def make_adapters(shape: Shape, folder: Path, count: int, rank: int) -> list[Path]:
    """Random experts, in PEFT's format."""
    names = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")
    names += ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
    paths = [folder / f"e{at:03}" for at in range(count)]
    for at, path in enumerate(paths):
        random = torch.Generator().manual_seed(at)
        pairs = {}
        for layer in range(shape.layers):
            for name, (inside, outside) in zip(names, shape.linears, strict=True):
                a = torch.randn(rank, inside, generator=random) * inside**-0.5
                b = torch.randn(outside, rank, generator=random) * 0.02
                pairs[f"model.layers.{layer}.{name}"] = (a, b)
        path.mkdir(parents=True)
        targets = sorted({name.split(".")[1] for name in names})
        write_config(path, AdapterConfig(r=rank, lora_alpha=rank, target_modules=targets))
        write_pairs(path, pairs)
    return paths


def ours(
    shape: Shape, paths: list[Path], top_k: int, device: str, dtype: torch.dtype
) -> tuple[RoutedModel, float]:
    """Routed by Arrow; and the seconds of CPU time that loading the experts took."""
    model = base(shape, device, dtype)
    started = time.process_time()
    stack = ExpertLibrary.open(paths[0].parent).stack()
    loading = time.process_time() - started
    return attach(model, stack, Arrow(top_k=top_k)), loading


def peft_one(shape: Shape, path: Path, device: str, dtype: torch.dtype) -> Any:
    """One adapter, not merged."""
    return PeftModel.from_pretrained(base(shape, device, dtype), path).to(device, dtype).eval()


def peft_arrow(
    shape: Shape, paths: list[Path], top_k: int, device: str, dtype: torch.dtype
) -> tuple[Any, float]:
    """PEFT's Arrow with our prototypes; and the seconds of CPU time that loading the experts took."""
    model = base(shape, device, dtype)
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = ArrowConfig(top_k=min(top_k, len(paths)), rng_seed=0)
        peft = create_arrow_model(model, [str(path) for path in paths], config).to(device, dtype).eval()
    loading = time.process_time() - started
    peft(torch.ones(1, 2, dtype=torch.long, device=device))
    prototypes = Arrow().plan(ExpertLibrary.open(paths[0].parent).stack()).prototypes
    for name, module in peft.base_model.model.named_modules():
        if hasattr(module, "lora_arrow") and "arrow_router" in module.lora_arrow:
            router = module.lora_arrow["arrow_router"]
            router.prototypes.copy_(prototypes[name][:, 0])
    return peft, loading


def check_equal(models: dict[str, Any], shape: Shape, device: str, *, exact: bool) -> None:
    """Ours against PEFT's Arrow; in half precision close scores may be taken the other way round."""
    tokens = _tokens(shape, 2, 24, device)
    one, other = (module(models[name])(tokens).logits.float() for name in ("ours", "peft arrow"))
    worst, share = (one - other).abs().max().item(), ((one - other).norm() / other.norm()).item()
    if not one.isfinite().all() or (
        worst > 1e-5 * max(1.0, other.abs().max().item()) if exact else share > 0.1
    ):
        raise NotEqualError(f"ours differs from PEFT's Arrow by {worst:.1e} at most, {share:.1e} in all")


def check_off(routed: RoutedModel, plain: Any, shape: Shape, device: str) -> None:
    """Off is exactly the base, on is not."""
    tokens = _tokens(shape, 2, 24, device)
    wanted = plain(tokens).logits
    with routed.off() as model:
        off = model(tokens).logits
    if not torch.equal(off, wanted) or torch.equal(routed.model(tokens).logits, wanted):
        raise NotEqualError("switched off, the routed model is not its base, or switched on it is")


def module(model: Any) -> Any:
    """The transformers model of a contender."""
    return model.model if isinstance(model, RoutedModel) else model


def prefill(shape: Shape, tokens: int, device: str) -> Callable[[Any], Callable[[], object]]:
    """One forward pass over a prompt."""
    ids = _tokens(shape, 1, tokens, device)
    return lambda model: lambda: model(ids, logits_to_keep=1, use_cache=False)


def decode(shape: Shape, batch: int, device: str, *, graphs: bool) -> Callable[[Any], Callable[[], object]]:
    """Some steps of one token for each row, after a short prompt; as a CUDA graph where it can be one."""
    prompt, token = _tokens(shape, batch, 16, device), _tokens(shape, batch, 1, device)

    def make(model: Any) -> Callable[[], object]:
        if graphs:
            try:
                return _graph(model, prompt, token)
            except RuntimeError as error:
                print(f"no CUDA graph: {str(error).splitlines()[0]}")
        cache = DynamicCache(config=model.config)
        model(prompt, past_key_values=cache)

        def steps() -> None:
            for _ in range(STEPS):
                model(token, past_key_values=cache)
            cache.crop(-STEPS)

        return steps

    return make


def _graph(model: Any, prompt: Tensor, token: Tensor) -> Callable[[], object]:
    """The last position is computed again and again: what a step costs does not depend on what it finds."""
    length = prompt.shape[1]
    cache = StaticCache(config=model.config, max_cache_len=64)
    model(prompt, past_key_values=cache)
    position = torch.full_like(token, length)

    def step() -> None:
        model(token, past_key_values=cache, position_ids=position)

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()

    def replay() -> None:
        for _ in range(STEPS):
            graph.replay()

    return replay


def _tokens(shape: Shape, batch: int, count: int, device: str) -> Tensor:
    random = torch.Generator().manual_seed(count + batch)
    return torch.randint(3, shape.vocabulary, (batch, count), generator=random).to(device)
