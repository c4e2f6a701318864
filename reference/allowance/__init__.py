"""How far rounding may move a result: the theorems, and truth and allowance of whole calls."""
