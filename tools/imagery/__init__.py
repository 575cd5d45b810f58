"""Pictures made and changed: scenes drawn from a graph, and edits of any picture."""
