"""The kernels against torch's own operations: C on this CPU, Triton in its interpreter."""

import importlib.util
import os
import subprocess
import sys

import pytest
import torch

from debug_gym.lora import strategies
from debug_gym.lora.choice import Scores
from debug_gym.lora.kernels import native
from debug_gym.lora.kernels.gpu import TritonKernel


@pytest.fixture(params=["C", "Triton"])
def kernel(request):
    if request.param == "C":
        if native.kernel() is None:
            pytest.skip("needs a C compiler")
        return native.kernel()
    if importlib.util.find_spec("triton") is None:
        pytest.skip("Triton is not installed: it comes with torch's CUDA builds")
    return TritonKernel()


@pytest.mark.parametrize(
    ("signed", "biased", "unit"), [(False, False, False), (True, True, False), (False, True, True)]
)
def test_choosing(kernel, signed, biased, unit):
    torch.manual_seed(0)
    h, prototypes = torch.randn(7, 24), torch.randn(3, 9, 1, 24)
    bias = torch.randn(3, 9) if biased else None
    if bias is not None:
        bias[1, 4] = -torch.inf
    scores = Scores(prototypes, 3, 0.6, signed, unit, bias)
    wanted, got = scores.choose(h, slice(None)), scores.choose_by(kernel, h)
    assert torch.equal(wanted[0], got[0].long())
    torch.testing.assert_close(got[1], wanted[1], atol=1e-6, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:invalid value")  # of the interpreter
def test_equal_scores_and_nan_stay_inside(kernel):
    scores = torch.zeros(2, 1, 5)
    scores[1] = torch.nan
    index, _ = kernel.choose(scores, 3, 1.0, False, None, None)
    assert index[0, 0].tolist() == [0, 1, 2]
    assert ((index >= 0) & (index < 5)).all()


@pytest.mark.parametrize(
    ("experts", "rank", "tokens", "top_k"), [(3, 16, 1, 2), (64, 16, 9, 3), (5, 3, 40, 3), (9, 20, 7, 1)]
)
def test_adding(kernel, experts, rank, tokens, top_k):
    torch.manual_seed(0)
    outs = (24, 70)
    A, B = torch.randn(2, experts, rank, 40), [torch.randn(experts, rank, out) for out in outs]
    h = torch.randn(tokens, 40)
    index = torch.stack([torch.stack([torch.randperm(experts)[:top_k] for _ in range(tokens)]) for _ in outs])
    weight = torch.rand(2, tokens, top_k)
    weight[:, 0] = 0  # a row that is the base's alone
    before = [torch.randn(tokens, out) for out in outs]
    got = [y.clone() for y in before]
    kernel.add(h, got, kernel.pack(A, B), index, weight)
    for at, y in enumerate(before):
        wanted = strategies.dense(h, y.clone(), A[at], B[at], index[at], weight[at])
        torch.testing.assert_close(got[at], wanted, atol=1e-4, rtol=1e-5)
        assert torch.equal(got[at][0], y[0])


CHILD = """
import logging, sys, torch
logging.basicConfig(stream=sys.stdout, format="%(message)s")
from debug_gym.lora.kernels import kernel_for
print(kernel_for(torch.randn(2, 4)))
"""


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"DEBUG_GYM_NATIVE": "0"}, "None"),
        ({"CC": "/bin/false"}, "cannot be built"),
        ({"CC": "/no/cc"}, "cannot be built"),
    ],
)
def test_without_a_compiler_torch_is_used_and_it_is_said(tmp_path, setting, words):
    variables = {**os.environ, **setting, "DEBUG_GYM_CACHE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", CHILD], env=variables, capture_output=True, text=True, check=True
    )
    assert words in done.stdout and done.stdout.rstrip().endswith("None")
