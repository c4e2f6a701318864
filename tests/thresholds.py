"""Numbers that tests compare with, named once with their reason."""

from fractions import Fraction

FLOAT64 = 2.0**-40  # relative error of what a test itself evaluates in float64: 2^13 roundings
NEGLIGIBLE = 2.0**-30  # of an allowance: no verdict depends on the precision of the reference
MOSTLY = 0.7  # of an allowance that one term explains: what is left are second orders and sqrt(2) of the modulus
HALF_USED = Fraction(1, 4)  # (error / allowance)^2: some honest program uses up half of its allowance
