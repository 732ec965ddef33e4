"""Negative controls: edits of tests after which they must fail, made, drawn and applied."""
