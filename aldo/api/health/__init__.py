"""Which models are down right now, and why: what probes say of servers, and what came of the last requests.

`conditions` is pure: it is told what happened and when. `probing` asks the servers in the background.
"""
