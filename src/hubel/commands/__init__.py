"""The commands, a file for each group; `hubel.cli` puts them together."""
