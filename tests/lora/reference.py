"""Routing worked out the slow way, token by token and expert by expert, in float64: nothing here is ours."""

import json

import torch
from safetensors.torch import load_file


def deltas(folders):
    """Module -> (experts, out, in): every s B A, formed; for adapters of one rank and scale."""
    loaded = []
    for folder in folders:
        config = json.loads((folder / "adapter_config.json").read_text())
        tensors = load_file(folder / "adapter_model.safetensors")
        pairs = {}
        for key, a in tensors.items():
            if "lora_A" in key:
                module = key.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
                b = tensors[key.replace("lora_A", "lora_B")]
                pairs[module] = config["lora_alpha"] / config["r"] * b.double() @ a.double()
        loaded.append(pairs)
    return {module: torch.stack([pairs[module] for pairs in loaded]) for module in loaded[0]}


def arrow_weights(x, products, top_k, temperature=1.0):
    """(tokens, experts) for x (tokens, in): by the SVD of the whole product."""
    directions = torch.stack([torch.linalg.svd(product, full_matrices=False)[2][0] for product in products])
    weights = torch.zeros(len(x), len(products), dtype=torch.float64)
    for t, token in enumerate(x):
        scores = (directions @ token).abs()
        best = scores.topk(top_k).indices
        weights[t, best] = (scores[best] / temperature).softmax(0)
    return weights


def mix(x, products, weights):
    """(tokens, out): the weighted sum of what the experts add to x (tokens, in)."""
    return torch.einsum("te,eoi,ti->to", weights, products, x)


def patch(model, products, weigh):
    """A float64 model whose linears add ``mix(x, products, weigh(x, products, module))``."""
    model = model.double()
    for module, stack in products.items():
        linear = model.get_submodule(module)

        def forward(x, linear=linear, stack=stack, module=module):
            flat = x.reshape(-1, x.shape[-1])
            added = mix(flat, stack, weigh(flat, stack, module))
            base = torch.nn.functional.linear(x, linear.weight, linear.bias)
            return base + added.view(base.shape)

        linear.forward = forward
    return model
