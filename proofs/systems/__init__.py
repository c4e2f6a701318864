"""Lemmas of whole systems: LRU and RotRNN."""
