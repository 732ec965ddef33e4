"""A person plays a task in the terminal: the tools, the judge and the stored trajectory are those of agents.

``grammar`` and ``game`` know nothing of screens; the other modules show what they say, with
Textual (the extra ``play``).
"""
