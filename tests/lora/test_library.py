"""The library on disk: what goes in, what stays out, and that nothing is ever half there."""

import json
import pickle
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from peft import LoraConfig, PeftModel
from safetensors.torch import load_file, save_file

from debug_gym.errors import LibraryError, UnknownNameError
from debug_gym.lora import ExpertLibrary, attach
from debug_gym.lora.adapter import AdapterConfig

from .conftest import make_adapter, make_model

WEIGHTS = "adapter_model.safetensors"


@pytest.fixture
def fresh(tmp_path):
    return ExpertLibrary.create(tmp_path / "library", base="tiny/base")


def change_config(folder, **fields):
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_an_expert_stays_an_ordinary_adapter(library, adapters, tokens):
    """PEFT loads it from the library's folder, and computes what it did."""
    with torch.no_grad():
        before = PeftModel.from_pretrained(make_model(), adapters[2])(tokens).logits
        after = PeftModel.from_pretrained(make_model(), library["e2"].folder)(tokens).logits
    assert torch.equal(before, after)


def test_what_an_expert_says_about_itself_is_kept(fresh, adapters):
    fresh.add(adapters[0], "one", trained_on="meter-days", metrics={"loss": 1.5}, description="d")
    card = ExpertLibrary.open(fresh.folder)["one"].card
    assert (card.trained_on, card.metrics, card.description) == ("meter-days", {"loss": 1.5}, "d")
    assert card.base == "tiny/base"
    assert set(card.checksums) == {"adapter_config.json", WEIGHTS}
    fresh.amend("one", metrics={"loss": 1.2})
    assert fresh["one"].card.metrics == {"loss": 1.2} and fresh["one"].card.trained_on == "meter-days"


@pytest.mark.parametrize(
    "config",
    [
        {"use_rslora": True, "r": 8},
        {"rank_pattern": {"q_proj": 2, r"layers\.1\.mlp.*": 6}, "alpha_pattern": {"q_proj": 3}},
        {"target_modules": ["q_proj", "v_proj"]},
        {"target_modules": r".*layers\.1\.(self_attn\.o_proj|mlp\.up_proj)"},
        {"layers_to_transform": [1]},
        {"r": 12, "lora_alpha": 5, "target_modules": "all-linear"},
    ],
)
def test_any_lora_computes_what_peft_computes(fresh, tmp_path, tokens, config):
    """Alone, and stacked with an expert of other ranks and targets."""
    folder = make_adapter(tmp_path / "odd", 1, **config)
    fresh.add(folder)
    fresh.add(make_adapter(tmp_path / "plain", 2))
    with torch.no_grad():
        wanted = PeftModel.from_pretrained(make_model(), folder)(tokens).logits
        routed = attach(make_model(), fresh, "odd")
        torch.testing.assert_close(routed.model(tokens).logits, wanted, atol=1e-5, rtol=1e-5)
        routed.assign(["odd"])
        torch.testing.assert_close(routed.model(tokens).logits, wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"bias": "all"}, "bias"),
        ({"peft_type": "IA3"}, "IA3"),
        ({"init_lora_weights": "pissa"}, "pissa"),
        ({"r": 8}, "rank 4"),
        ({"base_model_name_or_path": "other/model"}, "other/model"),
        ({"r": "many"}, "cannot be read"),
    ],
)
def test_what_cannot_be_mixed_is_refused_with_a_sentence(fresh, adapters, tmp_path, fields, words):
    folder = shutil.copytree(adapters[0], tmp_path / "bad")
    change_config(folder, **fields)
    with pytest.raises(LibraryError, match=words):
        fresh.add(folder)
    assert not list(fresh)


def test_dora_from_peft_is_refused(fresh, tmp_path):
    with pytest.raises(LibraryError, match="DoRA"):
        fresh.add(make_adapter(tmp_path / "dora", 1, use_dora=True))


def test_nothing_is_unpickled(fresh, adapters, tmp_path):
    class Attack:
        def __reduce__(self):
            return (exec, (f"open({str(tmp_path / 'owned')!r}, 'w')",))

    folder = shutil.copytree(adapters[0], tmp_path / "bad")
    (folder / WEIGHTS).unlink()
    (folder / "adapter_model.bin").write_bytes(pickle.dumps(Attack()))
    with pytest.raises(LibraryError, match="pickle"):
        fresh.add(folder)
    shutil.copyfile(folder / "adapter_model.bin", folder / WEIGHTS)
    with pytest.raises(LibraryError, match="cannot be read"):
        fresh.add(folder)
    assert not (tmp_path / "owned").exists()


def test_another_bases_shapes_are_refused(fresh, adapters, tmp_path):
    fresh.add(adapters[0])
    wide = make_adapter(tmp_path / "wide", 1, model=make_model(hidden=64))
    with pytest.raises(LibraryError, match="another base model"):
        fresh.add(wide)
    assert fresh.names == ("e0",)
    with pytest.raises(LibraryError, match="another base model"):
        attach(make_model(hidden=64), fresh)
    with pytest.raises(LibraryError, match="does not have"):
        attach(make_model(layers=1), fresh)


@pytest.mark.parametrize("name", [".", "..", "../up", "a/b", ".hidden", "a b", "x" * 101])
def test_names_stay_inside_the_library(fresh, adapters, name):
    with pytest.raises(LibraryError, match="no name"):
        fresh.add(adapters[0], name)
    with pytest.raises(UnknownNameError):
        fresh[name]
    with pytest.raises(UnknownNameError):
        fresh.remove(name)


def test_taken_names_are_replaced_only_when_told(fresh, adapters):
    fresh.add(adapters[0], "one")
    with pytest.raises(LibraryError, match="already"):
        fresh.add(adapters[1], "one")
    fresh.add(adapters[1], "one", replace=True)
    wanted, got = load_file(adapters[1] / WEIGHTS), load_file(fresh["one"].folder / WEIGHTS)
    assert all(torch.equal(wanted[key], got[key]) for key in wanted)


def test_removing(fresh, adapters):
    fresh.add(adapters[0])
    fresh.remove("e0")
    assert not fresh.names and not [path for path in fresh.folder.iterdir() if path.is_dir()]
    with pytest.raises(UnknownNameError, match="e0"):
        fresh.remove("e0")


def test_verify_finds_what_changed(fresh, adapters):
    for folder in adapters[:5]:
        fresh.add(folder)
    weights = fresh["e1"].folder / WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    (fresh["e2"].folder / WEIGHTS).write_bytes(content[:100])
    (fresh["e3"].folder / "adapter_config.json").write_text("{")
    tensors = load_file(fresh["e4"].folder / WEIGHTS)
    next(iter(tensors.values()))[0, 0] = float("nan")
    save_file(tensors, fresh["e4"].folder / WEIGHTS)
    found = fresh.verify()
    assert found["e0"] == []
    assert "checksum" in found["e1"][0]
    assert any("cannot be read" in problem for problem in found["e2"])
    assert "cannot be read" in found["e3"][0]
    assert any("NaN" in problem for problem in found["e4"])


def test_opening_what_is_no_library(tmp_path):
    with pytest.raises(LibraryError, match="no library"):
        ExpertLibrary.open(tmp_path / "nowhere")
    with pytest.raises(LibraryError, match="neither"):
        ExpertLibrary.open(tmp_path)
    (tmp_path / "library.json").write_text("[]")
    with pytest.raises(LibraryError, match="cannot be read"):
        ExpertLibrary.open(tmp_path)


def test_a_folder_of_plain_adapters_is_a_library(adapters):
    library = ExpertLibrary.open(adapters[0].parent)
    assert library.names == tuple(f"e{i}" for i in range(6)) and library.base == "tiny/base"
    assert library.verify()["e0"] == ["expert.json has no checksums"]


def test_a_local_copy_of_the_base_is_the_base(fresh, adapters, tmp_path):
    local = tmp_path / "models" / "Base"
    local.mkdir(parents=True)
    folder = shutil.copytree(adapters[0], tmp_path / "here")
    change_config(folder, base_model_name_or_path=str(local))
    fresh.add(folder)
    with pytest.raises(LibraryError, match="other/model"):
        ExpertLibrary.create(fresh.folder, base="other/model")


def test_killed_while_adding(adapters, tmp_path):
    """Whenever it is killed, the library is whole, holds what had been added, and can go on."""
    script = f"""
from debug_gym.lora import ExpertLibrary
library = ExpertLibrary.create({str(tmp_path / "library")!r}, base="tiny/base")
print("ready", flush=True)
while True:
    for i in range(6):
        library.add({str(adapters[0].parent)!r} + f"/e{{i}}", replace=True)
"""
    for delay in (0.02, 0.11):
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        library = ExpertLibrary.open(tmp_path / "library")
        assert all(problems == [] for problems in library.verify().values())
    library.add(adapters[5], "last")
    assert library.verify()["last"] == []
    assert not [path for path in library.folder.iterdir() if path.is_dir() and path.name not in library]


def test_64_experts_load_in_a_second(tmp_path):
    """PEFT takes 8.9 s for these shapes: 28 modules."""
    first = make_adapter(tmp_path / "e0", 0, model=make_model(hidden=64, layers=4), r=16)
    for i in range(1, 64):
        shutil.copytree(first, tmp_path / f"e{i}")
    library = ExpertLibrary.open(tmp_path)
    library.stack(["e0"])
    started = time.process_time()
    stack = library.stack()
    assert time.process_time() - started < 1
    assert len(stack.names) == 64 and len(stack) == 28


def test_the_defaults_of_peft_are_harmless():
    """A field that PEFT adds and sets by default must not make us refuse everything."""
    config = {**LoraConfig(r=4, target_modules=["q_proj"]).to_dict(), "target_modules": ["q_proj"]}
    assert AdapterConfig.model_validate({**config, "peft_type": "LORA"}).refusal() is None


def test_killed_between_moving_the_old_away_and_the_new_in(fresh, adapters):
    fresh.add(adapters[0], "one")
    scratch = fresh.folder / ".changing-abc"
    scratch.mkdir()
    shutil.copytree(fresh["one"].folder, scratch / "one")
    fresh["one"].folder.rename(scratch / ".replaced")
    assert "one" not in fresh
    fresh.add(adapters[1], "two")
    assert fresh.names == ("one", "two") and fresh.verify()["one"] == []
    assert not scratch.exists()
