import pytest

from debug_gym.agents.models import tokens


@pytest.mark.parametrize("model", ["gpt-4o", "qwen-local"])
@pytest.mark.parametrize(("text", "count"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2)])
def test_four_characters_a_token_where_no_encoding_can_be_loaded(offline, model, text, count):
    assert tokens.count_tokens(text, model) == count


def test_the_encoding_decides_where_there_is_one(monkeypatch):
    import tiktoken

    letters = {bytes([byte]): byte for byte in range(256)}
    encoding = tiktoken.Encoding(
        "bytes", pat_str=r".", mergeable_ranks=letters, special_tokens={"<|end|>": 256}
    )
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: encoding)
    tokens._encoding.cache_clear()
    assert tokens.count_tokens("ab<|end|>", "gpt-4o") == len("ab<|end|>")  # a special token is text like any
    tokens._encoding.cache_clear()
