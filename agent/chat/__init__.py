"""The chat in the terminal: a question becomes a study, which is watched as it happens."""
