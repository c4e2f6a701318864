"""How far elementary functions and matrix exponentials are off."""
