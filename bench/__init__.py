"""Timings as ratios: ours and a baseline in the same run on the same machine. `make bench`."""
