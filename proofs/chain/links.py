"""The links of the chain of evidence, as data: what each allowance in use, and each equation behind
it, rests on.

Functions are named as module:function below scanproof, lemmas as `proofs.lemmas`, theorems as
File.theorem (File.* for all of proofs/coq/File.v), certificates by the step that Gappa bounds in
every format (gappa_layer.py). Four words for what no machine has proved:

    argued     a proof in words, at the place named
    cited      a theorem of somebody else's, neither proved nor checked here
    assumed    a hypothesis about the declared program; the verdict holds only where it does
    tested     evidence, in the file named

What a lemma cites itself is printed by `scanproof prove --lemma NAME`.
"""

from __future__ import annotations

from dataclasses import dataclass

from scanproof.proofs.gappa.gappa_layer import CITED, CONTRACTED, WITHOUT

Names = tuple[str, ...]
SEPARATE = tuple(step.name for step in WITHOUT)
REAL, COMPLEX = SEPARATE[:2], SEPARATE[2:]
ANY = tuple(step.name for step in CONTRACTED)


@dataclass(frozen=True)
class Link:
    """One allowance or equation: what it says, and what that rests on."""

    name: str
    says: str
    python: Names
    lemmas: Names = ()
    theorems: Names = ()
    certificates: Names = ()
    argued: Names = ()
    cited: Names = ()
    assumed: Names = ()
    tested: Names = ()


OPERATIONS = (
    Link(
        name="one real operation",
        says="|fl(z w) - z w| <= u |z w| + eta, |fl(x + y) - (x + y)| <= u |x + y|, fused or not: "
             "beta = u, kappa = 1, c = 1",
        python=(
            "reference.arithmetic.operations:roundings",
            "reference.arithmetic.operations:_proved",
            "reference.arithmetic.operations:_product",
        ),
        lemmas=("rounding-to-nearest",),
        theorems=("BoundOps.separate", "BoundOps.fused", "BoundOps.evaluated_honest"),
        certificates=REAL,
        argued=(
            "proofs/coq/BoundOps.v: evaluated_honest asks for all numbers what formats grant where "
            "nothing overflows",
        ),
        assumed=(
            "operations round as the declaration says, and do not overflow: theorems know no "
            "largest number",
        ),
        tested=("tests/reference/arithmetic/test_arithmetic.py: every operand of tiny formats",),
    ),
    Link(
        name="one complex product, no contraction",
        says="|fl(z w) - z w| <= sqrt(5) u |z w| + 8 eta: 2.24 is cited; Coq proves 4/sqrt(3) = "
             "2.31, Gappa components",
        python=(
            "reference.arithmetic.operations:roundings",
            "reference.arithmetic.operations:_proved",
            "reference.arithmetic.operations:_product",
        ),
        lemmas=("rounding-to-nearest", "complex-product"),
        theorems=(
            "BoundOps.separate",
            "ComplexProduct.separate_product",
            "ComplexProduct.fused_product",
        ),
        certificates=COMPLEX,
        cited=(
            CITED,
            "Gappa proves each component only, 2u + u^2, which gives 2.83 u for the modulus",
        ),
        tested=("tests/reference/arithmetic/test_arithmetic.py: every operand of tiny formats",),
    ),
    Link(
        name="one complex step, any contraction",
        says="fl(x + z w) is off by at most beta |z w| + ((1+u)^2 - 1) |x| + 8 eta, beta = sqrt(2) "
             "((1+u)^3 - 1), c = 2",
        python=(
            "reference.arithmetic.operations:roundings",
            "reference.arithmetic.operations:_proved",
            "reference.arithmetic.operations:_product",
        ),
        lemmas=("complex-step", "rounding-circuit"),
        theorems=("BoundOps.contracted", "ComplexProduct.contracted_product"),
        certificates=ANY,
        tested=(
            "tests/proofs/test_gappa.py: that square, expanded",
            "tests/reference/arithmetic/test_arithmetic.py: every operand of tiny formats",
        ),
    ),
    Link(
        name="flushed subnormals, matrix units, TF32",
        says="results below the smallest normal are lost; sums aligned by truncation; operands of "
             "11 bits",
        python=("reference.arithmetic.operations:roundings",),
        argued=(
            "reference/arithmetic/operations.py: truncation itself is in the certificates above",
        ),
        assumed=("the unit loses no more than declared",),
        tested=(
            "tests/reference/arithmetic/test_formats.py: such units in software",
            "tests/proofs/test_tiny.py: flushed, every input of tiny formats",
        ),
    ),
)
SCANS = (
    Link(
        name="scan in any bracketing",
        says="|computed - exact| <= (1+xi) E + xi X + underflow, xi = (1+u)^(c d) - 1",
        python=(
            "reference.allowance.rounding:allowance",
            "reference.allowance.rounding:_bracketing",
            "reference.allowance.rounding:_underflow",
        ),
        lemmas=("rounding-near", "rounding-circuit", "rounding-recurrence"),
        theorems=("BoundState.*", "BoundTop.*", "BoundTheorem.*", "Instances.*"),
        tested=(
            "tests/proofs/test_coq_links.py: the theorem's tree in fractions beside Python",
            "tests/reference/allowance/test_rounding.py: honest scans",
        ),
    ),
    Link(
        name="sizes and counts of a scan",
        says="X, E, n, m, G of every bracketing, step by step in O(T)",
        python=(
            "reference.allowance.magnitudes:magnitudes_of",
            "reference.allowance.magnitudes:_largest_segment",
            "reference.allowance.rounding:_products",
        ),
        lemmas=("rounding-recurrence",),
        theorems=("BoundCount.*",),
        tested=("tests/proofs/test_coq_links.py: compared exactly",),
    ),
    Link(
        name="declared tree and chunk orders",
        says="d_t <= 2 ceil(log2 T) + 2 in a tree, min(t, L) - 1 + ceil(t / L) in chunks of L; a "
             "carry is stored once per chunk",
        python=(
            "reference.allowance.rounding:_path_limit",
            "reference.allowance.rounding:_bracketing",
        ),
        theorems=("BoundTheorem.rounding_any_bracketing",),
        assumed=(
            "a program that is declared so has no more additions on any path; the theorem takes d "
            "as given",
        ),
        tested=("tests/reference/allowance/test_rounding.py: counted along every path",),
    ),
    Link(
        name="scan one step after the other",
        says="E_t = (1+u) [(A+dA)(1+beta) E + (dA (1+beta) + A beta) |h_{t-1}| + dX + loss] + u "
             "|h_t| + flush",
        python=("reference.allowance.rounding:_sequential",),
        theorems=("Recurrence.*",),
        tested=(
            "tests/proofs/test_coq_links.py: the theorem's recurrence in fractions beside Python",
        ),
    ),
    Link(
        name="binary32, every T",
        says="explicit distances in two settings, by Gappa within Coq and Flocq's IEEE 754: no "
             "hypothesis on single operations",
        python=("reference.allowance.rounding:allowance",),
        theorems=("RoundingReal.*", "RoundingComplex.*"),
        tested=("tests/proofs/test_gappa.py: Python grants what Coq proves sufficient",),
    ),
    Link(
        name="results stored in a narrower format",
        says="s |h_t| + s_loss more, where a result is stored",
        python=("reference.allowance.rounding:_stored",),
        lemmas=("element-store",),
        tested=("tests/reference/arithmetic/test_formats.py: wider accumulation",),
    ),
    Link(
        name="integer cases",
        says="allowance 0 where every partial sum of every order is representable",
        python=("reference.allowance.integer_cases:advance",),
        argued=("docs/theorem.md: integers whose absolute values add up to at most 2^p",),
        tested=(
            "tests/reference/allowance/test_rounding.py: cases that have none, and cases that do",
        ),
    ),
    Link(
        name="no overflow",
        says="no evaluation of the class overflows while X + allowance and all products stay below "
             "half of the largest number",
        python=("reference.allowance.rounding:advance", "reference.allowance.rounding:_bracketing"),
        argued=("docs/theorem.md: every intermediate result is a part of X",),
        tested=(
            "tests/reference/allowance/test_rounding.py: never certified wrongly in tiny formats",
        ),
    ),
    Link(
        name="evaluation of a bound",
        says="what float64 prints is an upper bound of the bound",
        python=(
            "reference.allowance.rounding:_upward",
            "reference.allowance.rounding:_grow",
            "reference.arithmetic.operations:over_steps",
        ),
        argued=("docs/theorem.md: nonnegative terms, fewer than 16 roundings a step",),
        assumed=("expm1 and log1p of this process are off by less than the margin",),
        tested=("tests/reference/allowance/test_rounding.py: against rational numbers",),
    ),
    Link(
        name="algorithms that are no bracketings",
        says="cumulative products, logarithms, FFT, polar powers: a bound of their own each",
        python=("reference.allowance.orders:bound",),
        argued=("docs/classes.md: each algorithm",),
        assumed=("elementary functions are as good as declared",),
        tested=("tests/benchmarks/test_classes.py: honest programs of each",),
    ),
)
LAYERS = (
    Link(
        name="elements (v, X, E) of a layer",
        says="|computed - v| <= E for every program that multiplies out to the same monomials, "
        "cancels nothing and meets, on any path, no more additions than the equations write, n - 1 "
        "in a sum of n; a flat sum over what two run over is another",
        python=(
            "reference.allowance.bounded:Bounded",
            "reference.allowance.operation_errors:operation_errors",
            "reference.allowance.elements:pair",
        ),
        lemmas=(
            "rounding-near",
            "rounding-circuit",
            "element-product",
            "element-open-sum",
            "element-quotient",
        ),
        theorems=("Circuit.*", "CircuitSum.*"),
        argued=(
            "docs/layers.md: Circuits without cancellation. Coq proves the bound of a program by "
            "its own counts (counted), of one open sum and of one product; that the rules together "
            "cover the class is argued",
            "reference/allowance/bounded.py: roundings of a quotient, declared depths of sums, "
            "the 3 n addends of n complex products",
        ),
        tested=(
            "tests/proofs/test_coq_circuits.py: programs in fractions beside Bounded",
            "tests/reference/allowance/test_bounded.py: every rule",
            "tests/reference/allowance/test_layer_certificate.py: one flat sum over steps and "
            "width is another class",
        ),
    ),
    Link(
        name="underflow in a layer, whichever factors are multiplied first",
        says="a loss meets no more than the other factors of its monomial, whose product K bounds; "
        "m products lose m times",
        python=(
            "reference.allowance.bounded:Bounded",
            "reference.allowance.elements:_underflow_error",
            "reference.allowance.elements:scan",
        ),
        argued=(
            "reference/allowance/bounded.py: K, the bound of products, and F, the error of "
            "underflow",
            "reference/allowance/elements.py: _underflow_error, where drives are not formed",
        ),
        tested=(
            "tests/reference/allowance/test_bounded.py: weaker rules are violated, in every order "
            "of the factors",
        ),
    ),
    Link(
        name="scan of a layer",
        says="the scan's allowance, with the errors of lam, b and h0 as those of its leaves",
        python=(
            "reference.allowance.elements:scan",
            "reference.allowance.elements:_leaves",
            "reference.allowance.elements:_carry",
            "reference.allowance.rounding:of_leaves",
        ),
        lemmas=("rounding-recurrence",),
        theorems=("BoundTheorem.rounding_any_order", "Recurrence.sequential"),
        assumed=("b and h are formed, where stages formed is declared",),
        tested=("tests/reference/allowance/test_bounded.py: scans of uncertain numbers",),
    ),
    Link(
        name="scan of a rotation with decay",
        says="gamma (cos + i sin) as one complex factor; beta becomes (1+beta)(1+u)^2 - 1, for "
        "gamma may be multiplied apart",
        python=("reference.allowance.elements:rotation", "reference.allowance.elements:_paired"),
        lemmas=("rotation-affine", "rounding-recurrence"),
        theorems=("BoundTheorem.rounding_any_order",),
        argued=(
            "reference/allowance/elements.py: rotation, one more rounding of every product, and "
            "one of their sum",
        ),
        tested=(
            "tests/reference/allowance/test_bounded.py: scans of uncertain numbers",
            "tests/reference/allowance/test_layer_certificate.py: honest layers",
        ),
    ),
    Link(
        name="scan of a rotation by added angles",
        says="that of a bracketing, and the errors of angles that are sums: v (m - 1)(m + 2)/2 Th "
        "and what was read, a monomial",
        python=(
            "reference.allowance.orders.angle_sum:added_angles",
            "reference.allowance.orders.angle_sum:angle_errors",
        ),
        lemmas=("rotation-associative", "rotation-affine", "theta-rotation"),
        argued=(
            "reference/allowance/orders/angle_sum.py: depths in a tree, convexity, and gradients "
            "through such a scan",
        ),
        assumed=(
            "angles are added in the working precision; reference/arithmetic/constants.py: e_t, "
            "cos and sin of any sum",
        ),
        tested=("tests/benchmarks/test_peers.py: honest, adversarial and spoiled sums of angles",),
    ),
    Link(
        name="elementary functions: e, e_t",
        says="exp, expm1, log within 8u, sin and cos within 4u absolute, square roots and "
        "quotients correctly rounded",
        python=(
            "reference.allowance.elements:function",
            "reference.allowance.elements:expm1",
            "reference.arithmetic.constants:declared",
        ),
        lemmas=("element-function",),
        assumed=("reference/arithmetic/constants.py: the constants",),
        tested=(
            "tests/benchmarks/test_constants.py: docs/measured/constants.md is what was measured",
        ),
    ),
    Link(
        name="matrix exponential: c_E",
        says="||P' - exp(S)||_2 <= c_E u (||S||_1 + sqrt N), and ||dP||_2 ||z||_2 in every "
        "component of P z",
        python=(
            "reference.allowance.elements:expm",
            "reference.allowance.elements:_distance",
            "reference.arithmetic.constants:declared",
            "reference.numbers.exponential:ball_expm",
            "reference.systems.expm:allowances",
        ),
        lemmas=("exp-orthogonal-series", "exp-orthogonal-flow", "element-norm-lane"),
        theorems=("Series.*", "Flow.*"),
        argued=(
            "docs/layers.md: exp does not amplify perturbations of a skew matrix, since exp(sS) is "
            "orthogonal",
        ),
        cited=("the derivative of exp is the integral of exp((1-s)S) E exp(sS): Van Loan 1978",),
        assumed=("reference/arithmetic/constants.py: c_E",),
        tested=(
            "tests/reference/allowance/test_bounded.py: the bound in norm",
            "tests/properties/systems/test_expm.py: the exponential alone",
            "tests/benchmarks/test_constants.py: docs/measured/constants.md is what was measured",
        ),
    ),
    Link(
        name="derivative of the matrix exponential",
        says="||G' - L(S, G)||_F <= ||E_G||_F + c_E u (||S||_1 + sqrt N) (||G||_F + ||E_G||_F): L "
        "at a skew S lengthens nothing",
        python=(
            "reference.allowance.elements:frechet",
            "reference.numbers.exponential:ball_frechet",
        ),
        lemmas=("exp-orthogonal-series", "exp-orthogonal-flow"),
        cited=("the derivative of exp is the integral of exp((1-s)S) E exp(sS): Van Loan 1978",),
        assumed=(
            "reference/arithmetic/constants.py: c_E, of the derivative as of the exponential "
            "itself",
        ),
        tested=("tests/reference/allowance/test_layer_certificate.py: gradients of honest layers",),
    ),
    Link(
        name="outputs, constants and gradients of a layer",
        says="the reference run on elements: |got - v| <= E for y, h, h_last, exposed constants "
        "and every cotangent",
        python=(
            "reference.allowance.certificate:outputs",
            "reference.allowance.certificate:exposed",
            "reference.allowance.certificate:pulled_back",
            "reference.allowance.certificate:certified",
        ),
        lemmas=("lru-gradients", "rotrnn-gradients", "element-store"),
        argued=("docs/layers.md: stages; autodiff transposes a circuit and keeps its monomials",),
        assumed=("stages, adjoint and sums as declared",),
        tested=(
            "tests/reference/allowance/test_layer_certificate.py: honest layers",
            "tests/properties/test_verdict_layers.py: verdicts",
        ),
    ),
)
EQUATIONS = (
    Link(
        name="the scan operator",
        says="every bracketing computes what the loop computes",
        python=(
            "reference.transitions.diagonal:scan",
            "reference.allowance.rounding:allowance",
            "numba_kernels.chunked:scan",
        ),
        lemmas=(
            "scan-associative",
            "scan-identity",
            "scan-action",
            "scan-429-bracketings",
            "scan-any-bracketing",
            "scan-carry",
            "scan-reverse",
            "scan-doubling",
            "scan-exclusive",
        ),
        theorems=("Scan.*",),
        tested=("tests/proofs/test_coq_algebra.py: the same tree in fractions",),
    ),
    Link(
        name="the rotation operator",
        says="plane rotations side by side compose by adding angles",
        python=("reference.transitions.rotation:rotation", "numba_kernels.rotation:scan"),
        lemmas=(
            "rotation-associative",
            "rotation-identity",
            "rotation-affine",
            "theta-rotation",
            "canonical-form",
        ),
        theorems=("Theta.*",),
        tested=("tests/proofs/test_coq_algebra.py: a tree of turns in fractions",),
    ),
    Link(
        name="RotRNN's matrices",
        says="A = P Theta P^T is in SO(N), P = exp(M - M^T); s = P^T h is what is scanned",
        python=(
            "reference.systems.rotrnn:constants",
            "reference.systems.rotrnn:run",
            "reference.numbers.exponential:ball_expm",
            "proofs.engine.instances:rotation",
        ),
        lemmas=(
            "exp-orthogonal-series",
            "exp-orthogonal-flow",
            "exp-determinant-halves",
            "exp-determinant-jacobi",
            "exp-closed-one-angle",
            "exp-closed-four",
            "canonical-form",
            "every-rotation-is-canonical",
            "exp-onto-every-rotation",
            "exp-onto-rotations",
            "rotated-basis",
        ),
        theorems=("Rotation.*", "Flow.*", "Series.*", "Cayley.*", "Scan.change_of_basis"),
        cited=(
            "a symmetric matrix has a unit eigenvector: every other step to A = P Theta P^T is a "
            "claim",
        ),
        tested=(
            "tests/reference/systems/test_rotrnn.py: the symmetric part of M and the size of B do "
            "not matter",
        ),
    ),
    Link(
        name="RotRNN's head is LRU in conjugate pairs",
        says="the states of one are a matrix times the states of the other",
        python=("reference.systems.lru:run", "reference.systems.rotrnn:run"),
        lemmas=("conjugate-pairs", "rotrnn-is-lru"),
        theorems=("ConjugatePairs.*",),
        tested=("tests/proofs/test_layer_proofs.py: both references",),
    ),
    Link(
        name="norm of the state",
        says="E|x_t|^2 = 1 - gamma^(2t) for white inputs; gamma^k |x| without inputs",
        python=(
            "reference.systems.lru:normalising_gamma_log",
            "reference.systems.rotrnn:constants",
            "properties.laws:norm",
        ),
        lemmas=(
            "norm-preserved",
            "decay-below-one",
            "lru-variance",
            "expected-state-norm",
            "state-norm-needs-white",
        ),
        theorems=("Moments.*", "Norm.*"),
        assumed=("inputs are white in time and space; no verdict depends on it",),
        tested=("tests/proofs/test_coq_algebra.py: the same moments in fractions",),
    ),
    Link(
        name="gradients",
        says="a_t = A_{t+1}^T a_{t+1} + g_t is the gradient with respect to b_t, a_t h_{t-1}^T "
             "that of A_t",
        python=("reference.systems.lru:adjoint", "reference.systems.rotrnn:adjoint"),
        lemmas=("scan-adjoint", "lru-gradients", "rotrnn-gradients"),
        theorems=("Adjoint.*",),
        tested=("tests/proofs/test_coq_algebra.py: the same recurrence in fractions",),
    ),
    Link(
        name="laws of every scan",
        says="states are linear in drives and start, and know nothing of what comes later; delayed "
             "drives give them later",
        python=(
            "properties.laws:linearity",
            "properties.laws:causality",
            "properties.laws:time_invariance",
        ),
        lemmas=("scan-linear", "scan-causal", "scan-time-invariant"),
        tested=(
            "tests/properties/test_laws.py: what each asks for",
            "tests/properties/test_faults.py: what each finds",
        ),
    ),
    Link(
        name="parameters that give the same outputs",
        says="M + a symmetric matrix, c B, theta + 2 pi, pairs, channels and conjugates in another "
             "order",
        python=(
            "properties.laws:invariances",
            "properties.systems.rotrnn:equivalents",
            "properties.systems.lru:equivalents",
        ),
        lemmas=("only-the-skew-part", "input-scale", "angles-and-pairs", "channels-permute"),
        tested=(
            "tests/reference/systems/test_rotrnn.py: the symmetric part of M and the size of B do "
            "not matter",
        ),
    ),
    Link(
        name="the authors' versions of RotRNN",
        says="A is the model; B, C and D are it with other parameters; two directions of C are "
             "another layer",
        python=(
            "properties.versions.rotrnn:one_direction",
            "properties.versions.rotrnn:two_directions",
        ),
        lemmas=("versions-of-rotrnn", "cascade-is-another-layer", "columns-of-two-directions"),
        tested=("tests/properties/test_versions.py: each, judged",),
    ),
    Link(
        name="eigenvalues at the start",
        says="uniform on a ring; what white inputs make of it, and why a constant input is another "
             "matter",
        python=("reference.initialise:decay_rate",),
        lemmas=("ring-initialisation", "ring-constant-input"),
        assumed=("inputs are white in time and space; no verdict depends on it",),
        tested=("tests/reference/systems/test_lru.py: initial values",),
    ),
)
LINKS = (*OPERATIONS, *SCANS, *LAYERS, *EQUATIONS)
