"""The gateway, from outside: what it takes, what it answers, and what it sends to whom."""
