"""What a client asks for: bodies in OpenAI's shapes, and the headers that say what routing must know."""
