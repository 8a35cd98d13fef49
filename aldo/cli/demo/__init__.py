"""`aldo demo`: what aldo does, shown on the catalog that ships with it, step by step as a user would type it.

`steps` is the script, `model` the small model and where it comes from, `server` a llama.cpp server for it.
"""
