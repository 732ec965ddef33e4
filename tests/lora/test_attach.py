"""A whole model with a library: against PEFT and a straight reference, and in all the ways models are used."""

import pytest
import torch
from peft import ArrowConfig, PeftModel, create_arrow_model

from debug_gym.errors import LibraryError, UnknownNameError
from debug_gym.lora import Arrow, Expert, ExpertStack, Uniform, attach
from debug_gym.lora.attach import ROUTED
from debug_gym.lora.routing import GenKnowSub, PrefixLikelihood

from .conftest import make_adapter, make_model
from .reference import arrow_weights, deltas, patch

pytestmark = pytest.mark.filterwarnings("ignore:.*past_key_values.*deprecated")


@pytest.fixture
def routed(model, library):
    return attach(model, library, Arrow(top_k=3))


@pytest.fixture(scope="module")
def peft_arrow(adapters):
    """PEFT's Arrow, given exact prototypes in place of its power iteration's."""
    peft = create_arrow_model(make_model(), [str(folder) for folder in adapters], ArrowConfig(top_k=3)).eval()
    with torch.no_grad():
        peft(torch.ones(1, 2, dtype=torch.long))
        for module in peft.modules():
            if hasattr(module, "lora_arrow") and "arrow_router" in module.lora_arrow:
                pairs = [
                    (module.lora_A[f"task_{e}"].weight, module.lora_B[f"task_{e}"].weight) for e in range(6)
                ]
                exact = torch.stack([torch.linalg.svd((b @ a).double())[2][0].float() for a, b in pairs])
                module.lora_arrow["arrow_router"].prototypes.copy_(exact)
    return peft


@pytest.mark.parametrize("strategy", ["auto", "dense", "gather", "grouped"])
def test_equals_pefts_arrow_with_exact_prototypes(routed, peft_arrow, tokens, strategy):
    routed.state.strategy = strategy
    with torch.no_grad():
        torch.testing.assert_close(routed.model(tokens).logits, peft_arrow(tokens).logits, atol=1e-5, rtol=0)


def test_equals_the_straight_reference(routed, adapters, tokens):
    slow = patch(make_model(), deltas(adapters), lambda x, products, _: arrow_weights(x, products, 3))
    with torch.no_grad():
        wanted = slow(tokens).logits
        torch.testing.assert_close(routed.model(tokens).logits.double(), wanted, atol=1e-5, rtol=0)


def test_generates_what_peft_generates_with_and_without_cache(routed, peft_arrow, tokens):
    options = {"max_new_tokens": 12, "do_sample": False}
    wanted = peft_arrow.generate(input_ids=tokens[:1], **options)
    assert torch.equal(routed.model.generate(tokens[:1], **options), wanted)
    assert torch.equal(routed.model.generate(tokens[:1], use_cache=False, **options), wanted)


def test_left_padding_changes_no_answer(routed, tokens):
    options = {"max_new_tokens": 8, "do_sample": False}
    short, long = tokens[0, :5], tokens[1]
    batch, mask = torch.zeros(2, 11, dtype=torch.long), torch.zeros(2, 11, dtype=torch.long)
    batch[0, 6:], mask[0, 6:], batch[1], mask[1] = short, 1, long, 1
    both = routed.model.generate(batch, attention_mask=mask, **options)[:, 11:]
    assert torch.equal(both[0], routed.model.generate(short[None], **options)[0, 5:])
    assert torch.equal(both[1], routed.model.generate(long[None], **options)[0, 11:])


def test_turn_after_turn_on_one_cache(routed, tokens):
    with torch.no_grad():
        whole = routed.model(tokens).logits
        first = routed.model(tokens[:, :4], use_cache=True)
        second = routed.model(tokens[:, 4:9], past_key_values=first.past_key_values)
        third = routed.model(tokens[:, 9:], past_key_values=second.past_key_values)
    parts = torch.cat([part.logits for part in (first, second, third)], 1)
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=0)


def test_off_is_exactly_the_base(routed, tokens):
    with torch.no_grad():
        base = make_model()(tokens).logits
        on = routed.model(tokens).logits
        with routed.off() as model:
            assert torch.equal(model(tokens).logits, base)
        assert torch.equal(routed.model(tokens).logits, on) and not torch.equal(on, base)
        routed.use(PrefixLikelihood())
        with routed.off() as model:
            assert torch.equal(model(tokens).logits, base)
        routed.use(None)
        assert torch.equal(routed.model(tokens).logits, base)


def test_attached_the_model_looks_and_saves_as_before(routed, tmp_path):
    plain = make_model()
    assert list(routed.model.state_dict()) == list(plain.state_dict())
    routed.model.save_pretrained(tmp_path)
    again = type(plain).from_pretrained(tmp_path)
    for key, value in again.state_dict().items():
        assert torch.equal(value, plain.state_dict()[key])


def test_detaching(routed, library, tokens):
    with pytest.raises(LibraryError, match="detach"):
        attach(routed.model, library)
    model = routed.detach()
    with torch.no_grad():
        assert torch.equal(model(tokens).logits, make_model()(tokens).logits)
    attach(model, library, "e1")


def test_an_empty_input(routed):
    with torch.no_grad():
        hidden = routed.model.model.layers[0].mlp(torch.empty(1, 0, 32))
    assert hidden.shape == (1, 0, 32)


def test_one_expert_is_pefts_adapter(routed, adapters, tokens):
    routed.use("e4")
    with torch.no_grad():
        wanted = PeftModel.from_pretrained(make_model(), adapters[4])(tokens).logits
        torch.testing.assert_close(routed.model(tokens).logits, wanted, atol=1e-6, rtol=0)


def test_rows_of_a_batch_go_their_own_ways(routed, tokens):
    with torch.no_grad():
        arrow = routed.model(tokens).logits
        routed.use("e1")
        expert = routed.model(tokens).logits
        routed.use(Arrow(top_k=3))
        for rows in ([None, "e1", ROUTED], [{"e1": 1.0}, ROUTED, None]):
            routed.assign(rows)
            got = routed.model(tokens).logits
            base = make_model()(tokens).logits
            for at, row in enumerate(rows):
                wanted = base if row is None else arrow if row is ROUTED else expert
                torch.testing.assert_close(got[at], wanted[at], atol=2e-6, rtol=0)
        routed.assign(None)
        assert torch.equal(routed.model(tokens).logits, arrow)


def test_rows_follow_a_static_router_too(routed, tokens):
    with torch.no_grad():
        routed.use(Uniform())
        uniform = routed.model(tokens).logits
        routed.assign([ROUTED, None, {"e0": 0.5, "e3": 0.5}])
        got = routed.model(tokens).logits
        routed.use(Uniform())
        routed.assign([dict.fromkeys(routed.experts.names, 1 / 6)])
        by_weights = routed.model(tokens).logits
    torch.testing.assert_close(got[0], uniform[0], atol=2e-6, rtol=0)
    torch.testing.assert_close(got[1], make_model()(tokens[1:2]).logits[0], atol=2e-6, rtol=0)
    torch.testing.assert_close(by_weights, uniform, atol=2e-6, rtol=0)


def test_beams_use_the_experts_of_their_row(routed, tokens):
    options = {"max_new_tokens": 6, "do_sample": False, "num_beams": 3}
    wanted = []
    for at, name in enumerate(("e1", "e2")):
        routed.use(name)
        wanted.append(routed.model.generate(tokens[at : at + 1], **options)[0])
    routed.assign(["e1", "e2"])
    got = routed.model.generate(tokens[:2], **options)
    for one, other in zip(got, wanted, strict=True):
        assert torch.equal(one[: len(other)], other)


def test_wrong_rows_are_a_sentence(routed, tokens):
    with pytest.raises(UnknownNameError, match="e9"):
        routed.assign(["e9"])
    with pytest.raises(UnknownNameError, match="e9"):
        routed.use("e9")
    routed.assign(["e1", "e2"])
    with pytest.raises(LibraryError, match="2 rows, but the batch has 3"):
        routed.model(tokens)
    for router in (None, PrefixLikelihood()):
        routed.use(router)
        with pytest.raises(LibraryError, match="no router"):
            routed.assign([ROUTED])


def test_what_is_assigned_by_hand_a_request_router_leaves_alone(routed, tokens):
    options = {"max_new_tokens": 4, "do_sample": False}
    routed.use("e3")
    wanted = routed.model.generate(tokens, **options)
    routed.use(PrefixLikelihood(tokens=4))
    chosen = routed.choose(tokens)
    routed.assign(["e3"] * 3)
    assert torch.equal(routed.model.generate(tokens, **options), wanted)
    assert torch.equal(routed.choose(tokens), chosen)
    assert torch.equal(routed.model.generate(tokens, **options), wanted)  # choosing has assigned nothing
    routed.assign(None)
    routed.model.generate(tokens, **options)
    assert torch.equal(routed.state.rows.weights, chosen)


def test_a_router_that_fails_leaves_the_one_before(routed, tokens):
    with torch.no_grad():
        before = routed.model(tokens).logits
        with pytest.raises(LibraryError, match="general"):
            routed.use(GenKnowSub(()))
        assert routed.router == Arrow(top_k=3) and torch.equal(routed.model(tokens).logits, before)


def test_gradients_with_checkpointing(routed, adapters, tokens):
    """Training what is before the experts: the right gradient, the same when activations are recomputed."""
    model = routed.model
    enable = getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)
    embedding = routed.model.get_input_embeddings().weight
    grads = []
    for checkpointing in (False, True):
        if checkpointing:
            routed.model.train()
            enable({"use_reentrant": False})
        routed.model.zero_grad()
        routed.model(tokens, labels=tokens, use_cache=False).loss.backward()
        grads.append(embedding.grad.clone())
    torch.testing.assert_close(grads[0], grads[1], atol=1e-6, rtol=1e-4)
    slow = patch(make_model(), deltas(adapters), lambda x, products, _: arrow_weights(x, products, 3))
    slow(tokens, labels=tokens, use_cache=False).loss.backward()
    wanted = slow.get_input_embeddings().weight.grad
    torch.testing.assert_close(grads[0].double(), wanted, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize(
    ("dtype", "static", "by_token"), [(torch.bfloat16, 0.05, 0.3), (torch.float16, 0.006, 0.1)]
)
def test_half_precision(routed, tokens, dtype, static, by_token):
    """Where tokens choose, close scores may be taken the other way round."""
    for router, error in ((Arrow(), by_token), (Uniform(), static)):
        routed.use(router)
        routed.model.float()
        with torch.no_grad():
            full = routed.model(tokens).logits
            routed.model.to(dtype)
            half = routed.model(tokens).logits
        assert half.dtype == dtype
        assert (half.float() - full).norm() / full.norm() < error


@pytest.mark.slow
def test_compiled(routed, tokens):
    """The whole model in one graph, for every kind of routing."""
    with torch.no_grad():
        for router in (Arrow(top_k=3), "e2"):
            routed.use(router)
            wanted = routed.model(tokens).logits
            torch.compiler.reset()
            compiled = torch.compile(routed.model, fullgraph=True, backend="aot_eager")
            torch.testing.assert_close(compiled(tokens).logits, wanted, atol=1e-5, rtol=0)


def test_mixed_ranks_and_targets(library, tmp_path, tokens):
    """PEFT's Arrow fails on these. An expert that has nothing on a layer is never chosen there."""
    small = make_adapter(tmp_path / "small", 7, r=2, target_modules=["q_proj", "down_proj"])
    big = make_adapter(tmp_path / "big", 8, r=8, target_modules=["k_proj", "down_proj"])
    stack = ExpertStack.of([Expert.read(small), Expert.read(big)])
    with torch.no_grad():
        got = attach(make_model(), stack, Arrow(top_k=2)).model(tokens).logits
        only = attach(make_model(), stack, Arrow(top_k=1)).model(tokens).logits
    products = {key: one.scaled_b() @ one.A for key, one in stack.items()}

    def weigh(x, products, module, top_k=2):
        there = [at for at in range(2) if products[at].abs().max() > 0]
        weights = torch.zeros(len(x), 2, dtype=torch.float64)
        weights[:, there] = arrow_weights(x, products[there], min(top_k, len(there)))
        return weights

    slow = patch(make_model(), {key: value.double() for key, value in products.items()}, weigh)
    with torch.no_grad():
        torch.testing.assert_close(got.double(), slow(tokens).logits, atol=1e-5, rtol=0)
    assert not torch.allclose(only, got)


def test_a_request_keeps_its_expert_through_generation(routed, tokens):
    routed.use(PrefixLikelihood(tokens=8))
    got = routed.model.generate(tokens, max_new_tokens=6, do_sample=False)
    chosen = [routed.experts.names[at] for at in routed.state.rows.weights.argmax(1)]
    for at, name in enumerate(chosen):
        routed.use(name)
        assert torch.equal(
            routed.model.generate(tokens[at : at + 1], max_new_tokens=6, do_sample=False)[0], got[at]
        )
