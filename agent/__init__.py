"""Who decides: planners, the loop, the ledger and the report."""
