"""What is done to a model: targets, stimuli, and the tools that experiment on them."""
