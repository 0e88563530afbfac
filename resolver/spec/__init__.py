"""The spec language: what is asked, what there is, and whether one satisfies the other."""
