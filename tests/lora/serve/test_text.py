"""Text as it comes, token by token."""

import random

from debug_gym.lora.serve.text import TextStream

SAID = "Grüße, 世界! 🐛 the cat\n\tsat on the mat — done."


def pieces(tokenizer, text, stop=()):
    stream = TextStream(tokenizer, stop)
    given = []
    for token in tokenizer.encode(text):
        given.append(stream.add(token))
        if stream.stopped:
            break
    given.append(stream.end())
    return given, stream


def test_characters_come_whole_and_nothing_is_lost(tokenizer):
    given, stream = pieces(tokenizer, SAID)
    assert "".join(given) == stream.text == SAID
    assert all("\N{REPLACEMENT CHARACTER}" not in piece for piece in given)
    assert len([piece for piece in given if piece]) > 20


def test_random_bytes_end_no_stream(tokenizer):
    draw = random.Random(0)
    for _ in range(50):
        tokens = [draw.randrange(3, len(tokenizer)) for _ in range(60)]
        stream = TextStream(tokenizer)
        given = [stream.add(token) for token in tokens]
        given.append(stream.end())
        assert "".join(given) == stream.text


def test_no_part_of_a_stop_string_is_given(tokenizer):
    for stop in ("世界", "the mat", "t", "\n\t", "🐛 the"):
        given, stream = pieces(tokenizer, SAID, ("nowhere", stop))
        assert "".join(given) == stream.text == SAID[: SAID.index(stop)]
        assert stream.stopped


def test_what_only_begins_like_a_stop_string_is_given(tokenizer):
    given, _ = pieces(tokenizer, SAID, ("the cow", "mat — done!", "."))
    assert "".join(given) == SAID[:-1]
    given, _ = pieces(tokenizer, "done the ca", ("the cat",))
    assert "".join(given) == "done the ca"
