"""What lemmas are made of: words in noncommuting letters, exact instances, limits, and running
them."""
