"""Layers that return all they have: as a mapping with gradients, and as a tuple."""

from scanproof.properties.versions.plain_lru import Lru

lru = Lru()


def outputs(nu_log, theta_log, gamma_log, B_re, B_im, C_re, C_im, D, u):
    given = {name: x for name, x in locals().items() if name != "given"}
    found = lru(**given)
    return found["y"], found["h"]
