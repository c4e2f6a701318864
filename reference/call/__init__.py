"""Systems and their calls."""

from scanproof.reference.call.call import Call, Form, kinds_of, wide
from scanproof.reference.call.check import called
from scanproof.reference.call.run import evaluated, pulled_back
from scanproof.reference.call.system import Argument, Result, System

__all__ = [
    "Argument", "Call", "Form", "Result", "System",
    "called", "evaluated", "kinds_of", "pulled_back", "wide",
]  # fmt: skip
