"""One persistent child process per user session computes; client.py talks to it without torch, server.py runs in it."""
