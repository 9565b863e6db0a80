"""What both ends of the engine share: messages, arrays in a private folder, and where a running engine is met."""
