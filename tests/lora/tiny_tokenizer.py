"""A word-level tokenizer with a chat template, made on the spot."""

from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

TEMPLATE = """{%- if tools %}<tools> {% for tool in tools %}{{ tool.function.name }} {% endfor %}</tools> {% endif -%}
{%- for message in messages %}<{{ message.role }}> {{ message.content or '' }}
{%- for call in message.tool_calls or [] %} <call> {{ call.function.name }} {{ call.function.arguments }}{% endfor %} <end>
{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"""

REWRITING = """{%- for message in messages %}<{{ message.role }}>
{%- if message.role != 'assistant' or loop.last %} {{ message.content }}{% endif %} <end>
{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"""
"""Like templates that drop the reasoning of earlier turns: only the last turn of the assistant is shown."""

MARKS = ["<pad>", "<user>", "<assistant>", "<tool>", "<tools>", "</tools>", "<call>", "<end>"]
WORDS = [f"w{at}" for at in range(60)]


def make_tokenizer(template=TEMPLATE):
    vocabulary = {word: at for at, word in enumerate([*MARKS, "<unk>", "view", "grep", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<end>")
    fast.chat_template = template
    return fast
