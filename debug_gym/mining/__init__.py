"""Tasks from anyone's code: the pipeline of ``debug-gym mine``, with no model and no person in between.

A *source* finds candidates (``git``, ``mutations``, ``releases``). Each goes through the same stages
(``pipeline``): an environment, validation, minimising, duplicates, a statement of the problem, negative
controls, proof. What is left is a benchmark folder (``write``).
"""
