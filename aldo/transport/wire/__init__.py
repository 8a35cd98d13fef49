"""What servers send, and what it means: bytes to events, statuses to errors. No I/O, and no names of servers."""
