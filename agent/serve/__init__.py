"""`hubel serve`: ask, watch and browse in a web browser. It writes to the ledger through `ask`."""
