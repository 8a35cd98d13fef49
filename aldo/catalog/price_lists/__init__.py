"""Public price lists: what each model costs, exactly, or why that cannot be said.

What may enter: the text of a list that the user has. Nothing is ever fetched, rounded or guessed.
"""

from aldo.catalog.price_lists.listed import Listed

__all__ = ["Listed"]
