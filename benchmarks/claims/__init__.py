"""The papers' claims as experiments."""
