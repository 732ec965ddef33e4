"""Each router against its definition, worked out the slow way."""

import shutil

import pytest
import torch
from peft import PeftModel, PolyConfig, get_peft_model

from debug_gym.errors import ConfigError, LibraryError, UnknownNameError
from debug_gym.lora import Arrow, ExpertLibrary, OneExpert, Uniform, attach
from debug_gym.lora.adapter import AdapterConfig, write_config, write_pairs
from debug_gym.lora.expert import ExpertCard
from debug_gym.lora.fold import average
from debug_gym.lora.merge import fold_router, merge
from debug_gym.lora.routing import (
    Centroids,
    GenKnowSub,
    PolyRouting,
    PrefixLikelihood,
    Retrieval,
    Spectr,
    make_router,
)
from debug_gym.lora.routing.centroids import centroids, store_centroids
from debug_gym.lora.routing.poly import mixing_weights, steer
from debug_gym.lora.routing.request import embed

from .conftest import make_model
from .reference import arrow_weights, deltas, patch


def logits(model, tokens):
    with torch.no_grad():
        return model(tokens).logits.double()


def close(got, wanted):
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=0)


def test_uniform_averages_what_experts_compute(library, adapters, tokens):
    got = logits(attach(make_model(), library, Uniform()).model, tokens)
    even = patch(make_model(), deltas(adapters), lambda x, p, _: torch.full((len(x), 6), 1 / 6).double())
    close(got, logits(even, tokens))
    in_parameters = logits(attach(make_model(), library, Uniform(space="parameters")).model, tokens)
    assert (in_parameters - got).abs().max() > 0.01


def test_spectr_scores_by_what_an_expert_would_add(library, adapters, tokens):
    def weigh(x, products, _):
        lengths = torch.einsum("eoi,ti->teo", products, x).norm(dim=-1)
        values, best = lengths.topk(2)
        return torch.zeros(len(x), 6).double().scatter(1, best, (values / 0.5).softmax(-1))

    got = logits(attach(make_model(), library, Spectr(top_k=2, temperature=0.5)).model, tokens)
    close(got, logits(patch(make_model(), deltas(adapters), weigh), tokens))


@pytest.mark.parametrize("space", ["outputs", "parameters"])
def test_general_knowledge_is_subtracted_and_never_chosen(library, adapters, tokens, space):
    products, stack = deltas(adapters), library.stack()
    for module, one in stack.items():
        if space == "outputs":
            left = products[module] - products[module][4:].mean(0)
        else:
            a, b = one.A.double(), one.B.double()
            left = one.scale[0] * (b - b[4:].mean(0)) @ (a - a[4:].mean(0))
        products[module] = left[:4]
    slow = patch(make_model(), products, lambda x, p, _: arrow_weights(x, p, 2))
    routed = attach(make_model(), library, GenKnowSub(("e4", "e5"), Arrow(top_k=2), space))
    close(logits(routed.model, tokens), logits(slow, tokens))
    routed.use(Arrow())  # the experts themselves are as they were
    close(logits(routed.model, tokens), logits(attach(make_model(), library, Arrow()).model, tokens))


def test_general_knowledge_needs_experts_of_both_kinds(library):
    for general in ((), library.names):
        with pytest.raises(LibraryError, match="general"):
            attach(make_model(), library, GenKnowSub(general))


def test_centroids_send_tokens_to_the_expert_of_their_data(library, tmp_path):
    """Experts of disjoint halves of the vocabulary: each token finds its own on the first layer."""
    copy = ExpertLibrary.open(shutil.copytree(library.folder, tmp_path / "copy"))
    for name in copy.names[2:]:
        copy.remove(name)
    routed = attach(make_model(), copy)
    texts = {"e0": torch.randint(3, 48, (8, 20)), "e1": torch.randint(48, 96, (8, 20))}
    for name, ids in texts.items():
        store_centroids(copy, name, centroids(routed, [(ids, torch.ones_like(ids))]))
    assert copy.verify() == {"e0": [], "e1": []} and "prototypes.safetensors" in copy["e0"].card.checksums
    routed.use(Centroids.stored(copy))
    seen = {}
    group = next(
        group for modules, group in routed._groups if modules[0].endswith("layers.0.self_attn.k_proj")
    )
    for name, ids in texts.items():
        x = routed.model.model.layers[0].input_layernorm(routed.model.get_input_embeddings()(ids[:, :10]))
        seen[name] = group.scores.choose(x.reshape(-1, x.shape[-1]), slice(0, 1))[0]
    assert (seen["e0"] == 0).float().mean() > 0.7 and (seen["e1"] == 1).float().mean() > 0.7


def test_a_centroid_is_the_mean_input_without_padding(library, tokens):
    routed = attach(make_model(), library, Arrow())
    mask = torch.ones_like(tokens)
    mask[0, :6] = 0
    found = centroids(routed, [(tokens, mask)])["model.layers.0.self_attn.q_proj"]
    base = make_model().model
    with torch.no_grad():
        x = base.layers[0].input_layernorm(base.embed_tokens(tokens))
    torch.testing.assert_close(found, x[mask.bool()].mean(0), atol=1e-6, rtol=1e-5)


def test_centroids_that_are_missing_are_named(library):
    with pytest.raises(LibraryError, match="e0"):
        Centroids.stored(library)


def test_likelihood_picks_the_expert_with_the_lowest_loss(library, adapters, tokens):
    routed = attach(make_model(), library, PrefixLikelihood(tokens=6, chunk=4))
    padded = torch.nn.functional.pad(tokens, (3, 0))
    mask = (padded != 0).long()
    weights = routed.choose(padded, mask)
    for row, ids in enumerate(tokens):
        losses = []
        for folder in adapters:
            peft = PeftModel.from_pretrained(make_model(), folder)
            with torch.no_grad():
                losses.append(peft(ids[None, :6], labels=ids[None, :6]).loss)
        assert weights[row].argmax() == torch.stack(losses).argmin()


def test_retrieval_finds_the_nearest_texts(library, tokens):
    routed = attach(make_model(), library)
    ones = torch.ones_like(tokens)
    with torch.no_grad():
        vectors = embed(routed.model, tokens, ones)
    known = {name: vectors[at % 3] + 0.01 * at for at, name in enumerate(routed.experts.names)}
    router = Retrieval(known, vectors.mean(0), top_k=2)
    routed.use(router)
    routed.model.generate(tokens, attention_mask=ones, max_new_tokens=2, do_sample=False)
    weights = routed.state.rows.weights
    for row in range(3):
        assert set(weights[row].nonzero()[:, 0].tolist()) == {row, row + 3}
    assert torch.allclose(weights.sum(1), torch.ones(3))
    with pytest.raises(LibraryError, match="e5"):
        routed.use(Retrieval({name: known[name] for name in routed.experts.names[:5]}, vectors.mean(0)))


@pytest.mark.parametrize("heads", [1, 4])
def test_a_poly_task_folds_into_what_pefts_poly_computes(tmp_path, tokens, heads):
    config = PolyConfig(
        r=3,
        n_tasks=2,
        n_skills=3,
        n_splits=heads,
        target_modules=["q_proj", "up_proj"],
        init_weights=False,
        task_type="CAUSAL_LM",
    )
    peft = get_peft_model(make_model(), config).eval()
    logits_of, pairs = {}, {}
    for name, module in peft.base_model.model.named_modules():
        if hasattr(module, "poly_lora_A"):
            torch.nn.init.normal_(module.poly_router["default"].module_logits)
            logits_of[name] = module.poly_router["default"].module_logits.detach().view(2, heads, 3)
            a, b = module.poly_lora_A["default"].detach(), module.poly_lora_B["default"].detach()
            pairs[name] = (a.permute(1, 3, 0, 2).flatten(2), b.permute(1, 0, 3, 2).flatten(1, 2))
    skills = tuple(f"s{at}" for at in range(3))
    library = ExpertLibrary.create(tmp_path / "skills", base="tiny/base")
    for at, skill in enumerate(skills):

        def fill(folder, at=at):
            write_config(folder, AdapterConfig(r=3, lora_alpha=1, target_modules=["q_proj", "up_proj"]))
            write_pairs(folder, {name: (a[at], b[at]) for name, (a, b) in pairs.items()})

        library.write(skill, fill, ExpertCard(base="tiny/base"))
    routing = PolyRouting(("first", "second"), skills, logits_of)
    routing.save(library.folder / "routing.safetensors")
    for at, task in enumerate(routing.tasks):
        with torch.no_grad():
            wanted = peft(tokens, task_ids=torch.full((3,), at)).logits
        router = make_router(f"poly:routing.safetensors:{task}", library)
        torch.testing.assert_close(
            logits(attach(make_model(), library, router).model, tokens).float(), wanted, atol=1e-5, rtol=0
        )
        folder = fold_router(library, router, tmp_path / f"folded-{task}")
        folded = PeftModel.from_pretrained(make_model(), folder)
        torch.testing.assert_close(logits(folded, tokens).float(), wanted, atol=1e-5, rtol=0)
        assert folded.peft_config["default"].r == 3


def test_a_tasks_vector_can_be_steered():
    torch.manual_seed(0)
    routing = PolyRouting(("a", "b"), ("s", "t"), {"m": torch.randn(2, 2, 2), "l": torch.randn(2, 1, 2)})
    a, b = routing.vector("a"), routing.vector("b")
    assert a.shape == (6,) and torch.equal(a[2:].view(2, 2), routing.logits["m"][0])
    moved = routing.with_task("c", steer(a, [b], [a, b], 2.0))
    torch.testing.assert_close(moved.vector("c"), b)  # a + 2 (b - (a + b) / 2)
    assert torch.equal(moved.vector("b"), b) and moved.tasks == ("a", "b", "c")
    torch.testing.assert_close(moved.task("c").weights["m"], mixing_weights(routing.logits["m"][1]))
    assert routing.with_task("a", b).tasks == ("b", "a")
    with pytest.raises(LibraryError, match="6 entries"):
        routing.with_task("d", a[:5])
    with pytest.raises(UnknownNameError):
        routing.task("z")


def test_routers_by_name(library):
    assert make_router("e3", library) == OneExpert("e3")
    assert make_router("arrow", library, top_k=2) == Arrow(top_k=2)
    assert make_router("genknowsub", library, general=["e1"]) == GenKnowSub(("e1",))
    with pytest.raises(UnknownNameError, match="arrow"):
        make_router("arow", library)
    with pytest.raises(ConfigError, match="depth"):
        make_router("arrow", library, depth=3)
    with pytest.raises(LibraryError, match="no Poly routing"):
        make_router("poly:nothing.safetensors:task", library)


@pytest.mark.parametrize("rank", [None, 5])
def test_a_merge_is_an_expert_that_peft_computes(library, tmp_path, tokens, rank):
    copy = ExpertLibrary.open(shutil.copytree(library.folder, tmp_path / "copy"))
    expert = merge(copy, {"e0": 0.7, "e1": -0.2}, "both", rank=rank)
    assert expert.config.r == (rank or 8) and copy.verify()["both"] == []
    peft = logits(PeftModel.from_pretrained(make_model(), expert.folder), tokens)
    close(logits(attach(make_model(), copy, "both").model, tokens), peft)
    if rank is None:
        routed = attach(make_model(), library)
        routed.assign([{"e0": 0.7, "e1": -0.2}])
        close(logits(routed.model, tokens), peft)


def test_only_static_routers_fold(library, tmp_path):
    with pytest.raises(LibraryError, match="static"):
        fold_router(library, Arrow(), tmp_path / "out")
    with pytest.raises(LibraryError, match="6 experts but 2 weights"):
        average(library.stack(), [1, 2])
    fold_router(library, Uniform(rank=4), tmp_path / "out")
    with pytest.raises(LibraryError, match="exists"):
        fold_router(library, Uniform(), tmp_path / "out")
