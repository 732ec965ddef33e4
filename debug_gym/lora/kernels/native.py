"""The routed layer's kernel for CPUs, in C: built once on this machine when it has a compiler, else not used.

Without it torch computes the same, more slowly. ``DEBUG_GYM_NATIVE=0`` switches it off.
"""

import ctypes
import functools
import hashlib
import logging
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from debug_gym.cache import cache_folder

WIDTH = 16
"""Ranks are padded to a multiple of this."""
_SOURCE = Path(__file__).with_name("routed.c")
_FLAGS = ("-O3", "-march=native", "-shared", "-fPIC", "-fopenmp")
_log = logging.getLogger(__name__)


class NativeKernel:
    """See :class:`debug_gym.lora.kernels.Kernel`. Tensors are float32, contiguous, on the CPU."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._add, self._choose = library.debug_gym_add, library.debug_gym_choose
        number, pointer = ctypes.c_int64, ctypes.c_void_p
        self._add.argtypes = [pointer, number, number, pointer, pointer, number, number, number, number]
        self._add.argtypes += [pointer, pointer, pointer, pointer, ctypes.c_int]
        self._add.restype = ctypes.c_int
        self._choose.argtypes = [pointer, number, number, number, number, ctypes.c_float, ctypes.c_int]
        self._choose.argtypes += [pointer] * 4
        self._choose.restype = None

    def pack(self, A: Tensor, B: Sequence[Tensor]) -> "Packed":
        """A is copied into another order."""
        return Packed(A, B)

    def choose(
        self,
        scores: Tensor,
        k: int,
        temperature: float,
        signed: bool,
        bias: Tensor | None,
        lengths: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Index and weight (linears, n, k) of the best ``scores`` (n, linears, experts); overwrites them."""
        n, linears, experts = scores.shape
        index = torch.empty(linears, n, k, dtype=torch.int64)
        weight = torch.empty(linears, n, k)
        more = [None if part is None else part.data_ptr() for part in (bias, lengths)]
        out = (index.data_ptr(), weight.data_ptr())
        self._choose(scores.data_ptr(), n, linears, experts, k, temperature, signed, *more, *out)
        return index, weight

    def add(
        self, h: Tensor, outputs: Sequence[Tensor], packed: "Packed", index: Tensor, weight: Tensor
    ) -> None:
        """Add to each of ``outputs`` (n, out) the experts that index and weight (linears, n, k) name."""
        y = (ctypes.c_void_p * len(outputs))(*[output.data_ptr() for output in outputs])
        n, inside = h.shape
        failed = self._add(
            h.data_ptr(), n, inside, index.data_ptr(), weight.data_ptr(), index.shape[-1], len(outputs),
            packed.experts, packed.rank, packed.a, packed.b, packed.outs, y, torch.get_num_threads(),
        )  # fmt: skip
        if failed:
            raise MemoryError("no memory for the routed layer")


class Packed:
    """The experts of a group as the kernel reads them, from A (linears, experts, rank, in) and each B."""

    def __init__(self, A: Tensor, B: Sequence[Tensor]) -> None:
        linears, self.experts, rank, inside = A.shape
        self.rank = -(-rank // WIDTH) * WIDTH
        a = torch.nn.functional.pad(A, (0, 0, 0, self.rank - rank))
        a = a.view(linears, self.experts, self.rank // WIDTH, WIDTH, inside).mT.contiguous()
        b = [torch.nn.functional.pad(part, (0, 0, 0, self.rank - rank)).contiguous() for part in B]
        self._keep = (a, b)
        self.a = (ctypes.c_void_p * linears)(*[part.data_ptr() for part in a])
        self.b = (ctypes.c_void_p * linears)(*[part.data_ptr() for part in b])
        self.outs = (ctypes.c_int64 * linears)(*[part.shape[-1] for part in b])


@functools.cache
def kernel() -> NativeKernel | None:
    """The kernel, built if need be; None when it is switched off or cannot be built, which is logged."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if os.environ.get("DEBUG_GYM_NATIVE") == "0" or compiler is None:
        return None
    try:
        return NativeKernel(ctypes.CDLL(str(_build(compiler))))
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, "stderr", None) or error
        _log.warning("the routed layer's kernel cannot be built, torch is used instead: %s", reason)
        return None


def _build(compiler: str) -> Path:
    """The compiled library in the user's cache, under a name that says of what and for which processor."""
    command = [compiler, *_FLAGS, str(_SOURCE), "-lm", *_openmp()]
    about = (*command, _processor(), _SOURCE.read_text(encoding="utf-8"))
    key = hashlib.sha256("\0".join(about).encode()).hexdigest()[:16]
    folder = cache_folder()
    target = folder / f"routed-{key}.so"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            built = Path(scratch, target.name)
            subprocess.run(
                [*command, "-o", str(built)], check=True, capture_output=True, text=True, timeout=120
            )
            built.replace(target)
    return target


def _openmp() -> list[str]:
    """The OpenMP that torch has loaded: two of them would fight for the processors."""
    maps = Path("/proc/self/maps")
    loaded = re.search(r"/\S*lib[gi]omp[^/\s]*\.so\S*", maps.read_text()) if maps.exists() else None
    return [loaded[0]] if loaded else []


def _processor() -> str:
    """What ``-march=native`` depends on: a home folder may be shared by machines of several kinds."""
    info = Path("/proc/cpuinfo")
    flags = re.search(r"^flags.*$", info.read_text(), re.MULTILINE) if info.exists() else None
    return flags[0] if flags else platform.processor()
