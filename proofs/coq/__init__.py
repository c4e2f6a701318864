"""The Coq layer: sources, what they state, and compiling them."""
