"""Knowledge modules: what a repository says, learned as a LoRA that an agent's model can load.

A repository is cut into chunks (:mod:`.chunks`); questions about them come from templates
(:mod:`.templates`) or from a model (:mod:`.asking`); :func:`~.learn.learn` distils the answers.
:mod:`.asked` measures what stuck.
"""
