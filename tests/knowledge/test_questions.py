"""Questions by templates and by a model."""

import pytest

from debug_gym.errors import ConfigError, ModelError
from debug_gym.knowledge.asking import ask_model
from debug_gym.knowledge.chunks import chunks_of
from debug_gym.knowledge.learn import chance, lesson
from debug_gym.knowledge.templates import questions_about

from .conftest import SETTINGS
from .scripted import Scripted


@pytest.fixture
def chunks(repository):
    return list(chunks_of(repository, 1000, lambda text: len(text.split())))


def test_facts_come_from_the_syntax_tree_call_sites_and_messages(repository, chunks):
    known = {(one.kind, one.subject): one.answer for one in questions_about(chunks, repository)}
    cart = "shop/cart.py:"
    wanted = {
        ("value", f"{cart}LIMIT"): "`20`",
        ("purpose", f"{cart}Cart"): "What somebody wants to buy.",
        ("members", f"{cart}Cart"): "`add`",
        ("parameters", f"{cart}total"): "`total(cart, rate=0.2)`",
        ("returns", f"{cart}taxed"): "`amount * (1 + rate)`",
        ("raises", f"{cart}Cart.add"): "`ValueError`",
        ("traceback", f"{cart}ValueError: the cart is full"): "`Cart.add` in `shop/cart.py`",
        ("calls", f"{cart}total"): "`taxed`",
        ("callers", f"{cart}taxed"): "`total`",
        ("file", f"{cart}taxed"): "`shop/cart.py`",
        ("section", "README.md:Usage"): "Call `total`.",
        ("section", "docs/stock.rst:Stock"): "It is kept elsewhere.",
        ("value", "odd.py:PATTERN"): "`'\\\\d'`",
    }
    assert {key: known.get(key) for key in wanted} == wanted
    (summary,) = [answer for (kind, of), answer in known.items() if kind == "summary" and of.startswith(cart)]
    assert summary == "`LIMIT`, `Cart`, `Cart.__init__`, `Cart.add`, `total`, `taxed`"
    assert not any(path.startswith("broken.py") for _, path in known)


def test_a_fact_is_asked_where_it_can_be_read(repository):
    chunks = list(chunks_of(repository, 12, lambda text: len(text.split())))
    for one in questions_about(chunks, repository):
        if one.kind == "returns":
            assert one.answer.strip("`").replace("'", '"') in one.chunk.text.replace("'", '"')


def test_the_third_phrasing_is_held_out(repository, chunks):
    found = list(questions_about(chunks, repository))
    for held, count in ((True, 1), (False, 2)):
        asked = [one.question for one in found if one.subject.endswith(":LIMIT") and one.held_out is held]
        assert len(asked) == count


def test_no_training_asks_about_unseen_facts(repository, tokenizer, tmp_path):
    taught = lesson(repository, tokenizer, SETTINGS, tmp_path, unseen=0.4)
    assert all(chance(one) >= 0.4 for one in taught.train)
    assert any(chance(one) < 0.4 for one in taught.held_out)
    assert all(one.held_out for one in taught.held_out)


def test_a_large_repository_is_sampled_by_a_seed(repository, tokenizer, tmp_path):
    few = SETTINGS.model_copy(update={"most_questions": 7})
    one, again = (lesson(repository, tokenizer, few, tmp_path).train for _ in range(2))
    other = lesson(repository, tokenizer, few.model_copy(update={"seed": 1}), tmp_path).train
    assert one == again != other and len(one) <= 7


def test_a_folder_with_nothing_to_learn_is_said(tmp_path, tokenizer):
    (tmp_path / "a.py").write_text("\n")
    with pytest.raises(ConfigError, match="nothing to learn"):
        lesson(tmp_path, tokenizer, SETTINGS, tmp_path)


SAID = """Here they are:
{"question": "What is LIMIT in shop/cart.py?", "answer": "20"}
{"question": "Who sells?", "answer": "The shop."},
{"question": "cut off
{"question": "", "answer": "nothing"}
"""


def test_a_model_asks_and_answers(chunks, tmp_path):
    model = Scripted("no idea", "nothing", "", "", SAID, SAID)
    found = list(ask_model(model, chunks, 2, tmp_path / "questions.jsonl"))
    assert [(one.question, one.answer) for one in found if one.chunk.path == "shop/cart.py"] == [
        ("What is LIMIT in shop/cart.py?", "20"),
        ("shop/cart.py: Who sells?", "The shop."),
    ]
    assert len(found) == 4 and "LIMIT = 20" in model.asked[5]


def test_what_a_model_has_said_is_not_asked_again(chunks, tmp_path):
    file = tmp_path / "questions.jsonl"
    with pytest.raises(ModelError, match="no money"):
        list(ask_model(Scripted(SAID, SAID, ModelError("no money"), SAID, SAID, SAID), chunks, 2, file))
    file.write_text(file.read_text() + '{"chunk": "torn by a ki')
    more = Scripted(SAID)
    assert len(list(ask_model(more, chunks, 2, file))) == 12
    assert len(more.asked) == 1 and chunks[2].text in more.asked[0]
    assert len(list(ask_model(Scripted(), chunks, 2, file))) == 12


def test_a_lesson_by_a_model_holds_out_facts(repository, tokenizer, tmp_path):
    count = len(list(chunks_of(repository, SETTINGS.chunk, lambda text: len(tokenizer(text)["input_ids"]))))
    asker = Scripted(*[SAID] * count)
    taught = lesson(repository, tokenizer, SETTINGS, tmp_path, asker=asker, unseen=0.42)
    assert taught.train and taught.held_out
    assert not {one.subject for one in taught.train} & {one.subject for one in taught.held_out}
