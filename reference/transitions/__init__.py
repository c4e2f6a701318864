"""How a state passes from step to step: one file for each kind of transition."""
