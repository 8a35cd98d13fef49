"""A report as one HTML page that needs nothing else: no network, no server, no script for what it shows.

`page` puts it together: `verdicts` and `facts` are its head, `evaluators`, `speed` and `cases` its sections, `plots`
(through `vega`, the only user of vl-convert) its drawings. All of them make `markup`, which escapes what is not
markup already; a model's answer cannot be. `page.css` and `page.js` are written into the page, and its content
security policy names them by their hashes: no other style or script runs.
"""

from __future__ import annotations

from aldo.eval.report.html.page import render

__all__ = ["render"]
