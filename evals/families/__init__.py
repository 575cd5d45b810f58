"""Controls: targets and units about which nothing is to be found, so that what is claimed counts.

An audit that explains hundreds of units also explains noise, unless it is held against units of
which the right answer is "nothing" (Sharkey et al. 2025, "Open Problems in Mechanistic
Interpretability", ask that methods be validated on known truth). Each control takes one thing away:

- a null channel (`null`) has a real channel's distribution and nothing to do with the picture;
- a shuffled network (`shuffled`) has the architecture and the weights' distribution of a trained
  one, and nothing that training put in;
- a random direction (`directions`) reads real features, mixed by no rule.
"""
