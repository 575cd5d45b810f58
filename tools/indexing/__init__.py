"""How the exemplar index is built, stored and read; `hubel.tools.exemplars` is its front."""
