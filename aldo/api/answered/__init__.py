"""What a client gets: answers, streams and errors in OpenAI's shapes."""
