"""SWE-bench and the benchmarks made after it: a row of a data set, an image, tests that a patch adds.

Each loader makes tasks of the rows as they are published, and says how its home harness scores them
(``Harness``), which the judge tells beside its own verdict.
"""
