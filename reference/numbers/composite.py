"""Arrays of composite numbers: several arrays of one shape that are indexed, reshaped and joined
together.

A bundle stands where the reference expects an array, so that one code runs on it: NumPy's operators
and functions come here through `__array_ufunc__` and `__array_function__` (NEP 13 and 18).
Arithmetic is left to the subclasses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

import numpy as np

OPERATORS = {
    np.add: "__add__", np.subtract: "__sub__", np.multiply: "__mul__",
    np.true_divide: "__truediv__", np.matmul: "__matmul__",
    np.negative: "__neg__", np.equal: "__eq__", np.power: "__pow__",
}  # fmt: skip


class Composite:
    """Composite numbers.

    Subclasses say what their parts are (arrays or bundles of one shape), and compute.
    """

    namespace: ClassVar[Callable[[], Any]]

    @property
    def parts(self) -> tuple[Any, ...]:
        """The arrays, or bundles of arrays, of one shape (...) that the numbers consist of.

        Raises:
            NotImplementedError: here; subclasses define it.
        """
        raise NotImplementedError

    def like(self, *parts: Any) -> Self:
        """Makes the same kind of number from other parts, all of one shape (...).

        Raises:
            NotImplementedError: here; subclasses define it.
        """
        raise NotImplementedError

    @classmethod
    def lift(cls, like: Self, x: Any) -> Self:
        """Makes exact numbers of this kind from floats or integers, in their shape (...).

        Raises:
            NotImplementedError: here; subclasses define it.
        """
        raise NotImplementedError

    def mapped(self, function: Callable[[Any], Any]) -> Self:
        """Applies the same function of arrays (...) to every part, so that shapes stay equal."""
        return self.like(*map(function, self.parts))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of every part."""
        shape: tuple[int, ...] = self.parts[0].shape
        return shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def T(self) -> Self:
        """The numbers with their axes (...) in the reverse order."""
        return self.mapped(lambda x: x.T)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Self:
        return self.mapped(lambda x: x[index])

    def reshape(self, *shape: Any) -> Self:
        """Gives every part this shape, as numpy.reshape does."""
        return self.mapped(lambda x: x.reshape(*shape))

    def transpose(self, axes: Any) -> Self:
        """Orders the axes of every part, as numpy.transpose does."""
        return self.mapped(lambda x: x.transpose(axes))

    def swapaxes(self, one: int, two: int) -> Self:
        """Exchanges two axes of every part."""
        return self.mapped(lambda x: x.swapaxes(one, two))

    def squeeze(self, axis: int) -> Self:
        """Removes an axis of length 1 from every part."""
        return self.mapped(lambda x: x.squeeze(axis))

    def __add__(self, other: Any) -> Self:
        raise NotImplementedError

    def __mul__(self, other: Any) -> Self:
        raise NotImplementedError

    def __neg__(self) -> Self:
        raise NotImplementedError

    def __sub__(self, other: Any) -> Self:
        found: Self = self + -other
        return found

    def __rsub__(self, other: Any) -> Self:
        found: Self = -self + other
        return found

    def __radd__(self, other: Any) -> Self:
        found: Self = self + other
        return found

    def __rmul__(self, other: Any) -> Self:
        found: Self = self * other
        return found

    def __pow__(self, exponent: int) -> Self:
        if exponent != 2:
            raise NotImplementedError
        return self * self

    def __matmul__(self, other: Any) -> Any:
        left = "abcdefg"[: self.ndim - 1]
        return self.einsum(f"{left}x,xz->{left}z", other)

    def einsum(self, subscripts: str, other: Any) -> Any:
        """Sums products, for subscripts that `contraction.form` takes; shapes as in numpy.einsum.

        Raises:
            NotImplementedError: here; subclasses define it.
        """
        raise NotImplementedError

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's operators with an ordinary array on the left."""
        name = OPERATORS.get(ufunc)
        if method != "__call__" or options or name is None:
            return NotImplemented
        kind = next(x for x in inputs if isinstance(x, Composite))
        first, *rest = (x if isinstance(x, Composite) else kind.lift(kind, x) for x in inputs)
        return getattr(first, name)(*rest)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return FUNCTIONS[function](*args, **kwargs) if function in FUNCTIONS else NotImplemented


def _joined(function: Callable[..., Any]) -> Callable[..., Any]:
    """stack and concatenate: part by part."""

    def join(bundles: Any, axis: int = 0) -> Any:
        first, *rest = bundles
        parts = zip(*(bundle.parts for bundle in (first, *rest)), strict=True)
        return first.like(*(function(part, axis) for part in parts))

    return join


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.stack: _joined(np.stack),
    np.concatenate: _joined(np.concatenate),
    np.expand_dims: lambda x, axis: x.mapped(lambda part: np.expand_dims(part, axis)),
    np.einsum: lambda subscripts, one, two: one.einsum(subscripts, two),
}
