"""Faults in a rule's text, where no term of the error model is what is wrong (reference/error_model.py names those that are)."""

import ast
import inspect


def edited(module, *edits, **names):
    """The namespace of a module whose source is run with each `old` text replaced by `new`.

    The source is taken as `ast.unparse` writes it: one statement a line, so that a text does not depend on where lines end.

    Raises:
        ValueError: a text does not occur, so nothing would be edited.
    """
    source = ast.unparse(ast.parse(inspect.getsource(module)))
    for old, new in edits:
        if old not in source:
            raise ValueError(f"edits: found no {old!r} in {module.__name__}, expected its source text")
        source = source.replace(old, new)
    namespace = {"__name__": module.__name__, **names}
    exec(compile(source, module.__name__, "exec"), namespace)
    return namespace
