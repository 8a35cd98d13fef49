"""Pages that are made from the code: references, the picture of a terminal, tables of figures, the evidence.

`python -m publish` writes them anew (`make docs`), `tests/docs/test_generated.py` holds that none has drifted. A fact stands
in the code, or in a record under `docs/evidence/` that a run left there, and nowhere a second time.
"""
