"""Eval: the same cases put to several models, judged by evaluators, and compared.

A suite's cases and what models answered enter; scores with intervals and paired comparisons leave
(`statistics`, the only user of numpy and scipy, which come with the extra `eval`). Importing this room loads
neither.
"""
