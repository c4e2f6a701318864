"""What lemmas are made of: words in letters, exact instances, limits, and running them."""
