"""Prompts that are tuned by what they do: proposed by a model, kept where they solve more of other tasks.

The idea is that of the first layer of deep language networks (Sordoni et al. 2023, arXiv 2306.12509): a
prompt is a parameter, a model proposes changes of it, and data chooses. There a proposal is scored by the
likelihood of known answers; here by the tasks that an agent solves with it.
"""
