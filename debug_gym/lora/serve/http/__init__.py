"""An OpenAI-compatible endpoint over an ``Assistant``. Needs the extra ``serve``."""
