"""Where things run: the wire between host and lab, and the lab process."""
