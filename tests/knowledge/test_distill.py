"""Deep context distillation: the loss is the paper's, and its positions are right."""

import pytest
import torch
from peft import LoraConfig

from debug_gym.lora.train.data import IGNORED
from debug_gym.lora.train.distill import (
    Exercise,
    collate_pairs,
    distance,
    distillation_loss,
    distillation_rows,
    divergence,
    pad_left,
    predictions,
)
from debug_gym.lora.train.fit import adapted

EXERCISES = [
    Exercise(context="the cat sat on the mat", question="where?", answer="on the mat"),
    Exercise(context="the tool called the path, and more", question="what was called here?", answer="path"),
]


@pytest.fixture
def rows(tokenizer):
    return distillation_rows(EXERCISES, tokenizer, 1000)


@pytest.fixture
def peft(model):
    with adapted(
        model, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "down_proj"]), 0
    ) as it:
        yield it.eval()


def disturb(peft):
    torch.manual_seed(3)
    for name, parameter in peft.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.2)


def test_only_the_teacher_reads_and_both_learn_the_answer(rows, tokenizer):
    for row, exercise in zip(rows, EXERCISES, strict=True):
        student, teacher = tokenizer.decode(row["input_ids"]), tokenizer.decode(row["teacher_ids"])
        assert exercise.context in teacher and exercise.context not in student
        for labels in (row["labels"], row["teacher_labels"]):
            assert tokenizer.decode(labels[labels != IGNORED]).startswith(exercise.answer)


def test_what_does_not_fit_with_its_context_is_left_out(tokenizer):
    assert len(distillation_rows(EXERCISES, tokenizer, 44)) == 1


def test_divergence_and_distance_are_the_formulas():
    torch.manual_seed(0)
    s, t = torch.randn(5, 7), torch.randn(5, 7)
    p, q = t.softmax(-1), s.softmax(-1)
    torch.testing.assert_close(divergence(s, t), (p * (p / q).log()).sum(-1).mean())
    one = [torch.ones(2, 3), torch.full((2, 3), 4.0)]
    other = [torch.full((2, 3), 2.0), torch.full((2, 3), 8.0)]
    assert distance(one, other).item() == 0.5  # 1 / 2 and 4 / 8


def test_positions_are_those_that_predict_the_answer_whatever_the_padding(rows, model):
    """From the last of the prompt to the last but one of the answer; the same alone and in a batch."""
    both, states = predictions(model, pad_left(rows))
    start = 0
    for row in rows:
        alone = model(input_ids=row["input_ids"][None], output_hidden_states=True)
        answer = (row["labels"] != IGNORED).nonzero().flatten()
        part = slice(start, start + len(answer))
        torch.testing.assert_close(both[part], alone.logits[0, answer - 1], atol=1e-5, rtol=1e-4)
        for state, other in zip(states, alone.hidden_states[1:], strict=True):
            torch.testing.assert_close(state[part], other[0, answer - 1], atol=1e-5, rtol=1e-4)
        start = part.stop
    assert start == len(both)


def test_who_reads_the_same_as_the_teacher_has_no_loss(rows, peft):
    same = [{**row, "input_ids": row["teacher_ids"], "labels": row["teacher_labels"]} for row in rows]
    assert distillation_loss(peft, collate_pairs(same)).item() < 1e-6
    assert distillation_loss(peft, collate_pairs(rows)).item() > 0.01
    disturb(peft)  # the teacher is the base, not the adapter
    assert distillation_loss(peft, collate_pairs(same)).item() > 0.01


def test_gradients_reach_the_adapter_alone(rows, peft):
    disturb(peft)
    distillation_loss(peft, collate_pairs(rows)).backward()
    for name, parameter in peft.named_parameters():
        assert (parameter.grad is not None and bool(parameter.grad.any())) == ("lora_" in name), name
