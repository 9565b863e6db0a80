"""One persistent child process per user session computes: client/ talks to it without torch, server/ runs in it, and
wire/ is what both know of the messages between them."""
