(* What one complex product loses, in squared moduli: no square root is needed.

   In words: z = a + ib, w = c + id; every rounding is off by at most delta |x|, delta <= u/(1 + u): to nearest, no underflow.
   With |z w|^2 = (a^2 + b^2)(c^2 + d^2),
     separate_product     3 |fl(z w) - z w|^2 <= 16 u^2 |z w|^2      four products, two sums: 4/sqrt 3 u = 2.3095 u
     fused_product          |fl(z w) - z w|^2 <= 4 u^2 |z w|^2       one FMA a component: 2u
     contracted_product     |fl(z w) - z w|^2 <= 2 g^2 |z w|^2       components off by g (|ac| + |bd|), g (|ad| + |bc|)
   The first is a little more than the sqrt 5 u = 2.2361 u of Brent, Percival and Zimmermann (2007), which is cited; the second is
   that of Jeannerod, Kornerup, Louvet and Muller (2017); the third, with g = (1 + u)^3 - 1 from Gappa, is granted to any
   contraction.
   In Python: reference/arithmetic/operations.py `_product`; lemma complex-product (proofs/rounding/complex_product.py) has the same steps. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Product.
Variables (R : realDomainType) (u delta : R).
Hypotheses (u0 : 0 <= u) (delta0 : 0 <= delta) (delta_u : delta * (1 + u) <= u).
Implicit Types a b c d m n p q v w x y z A B C D : R.

Definition rounds z x := `|z - x| <= delta * `|x|.

(* two vectors of length <= sqrt (S / k), s of the one and t of the other *)
Lemma minkowski k A B C D s t S : 0 <= k -> 0 <= s -> 0 <= t -> k * (A ^+ 2 + B ^+ 2) <= S -> k * (C ^+ 2 + D ^+ 2) <= S ->
  k * ((s * A + t * C) ^+ 2 + (s * B + t * D) ^+ 2) <= (s + t) ^+ 2 * S.
Proof.
move=> k0 s0 t0 h1 h2; rewrite -subr_ge0; rewrite -subr_ge0 in h1; rewrite -subr_ge0 in h2.
have -> : (s + t) ^+ 2 * S - k * ((s * A + t * C) ^+ 2 + (s * B + t * D) ^+ 2) =
  s * (s + t) * (S - k * (A ^+ 2 + B ^+ 2)) + t * (s + t) * (S - k * (C ^+ 2 + D ^+ 2))
  + k * (s * t) * ((A - C) ^+ 2 + (B - D) ^+ 2) by ring.
have st : 0 <= s + t by rewrite addr_ge0.
rewrite addr_ge0 //; first by rewrite addr_ge0 // mulr_ge0 // mulr_ge0.
by rewrite mulr_ge0 // ?addr_ge0 ?sqr_ge0 // mulr_ge0 // mulr_ge0.
Qed.

Lemma squares x y A B : `|x| <= A -> `|y| <= B -> x ^+ 2 + y ^+ 2 <= A ^+ 2 + B ^+ 2.
Proof.
by move=> h1 h2; rewrite -(real_normK (num_real x)) -(real_normK (num_real y)) ler_add // ler_expn2r // nnegrE
  ?(le_trans _ h1) ?(le_trans _ h2).
Qed.

(* three roundings, and two: fl(fl(x) + fl(y)), fl(x + fl(y)) *)
Lemma component p q z x y : rounds p x -> rounds q y -> rounds z (p + q) ->
  `|z - (x + y)| <= delta * (`|x| + `|y| + `|x + y|) + delta ^+ 2 * (`|x| + `|y|).
Proof.
move=> hp hq hz; have close : `|p + q - (x + y)| <= delta * (`|x| + `|y|).
  by rewrite opprD addrACA mulrDr (le_trans (ler_norm_add _ _)) // ler_add.
have size : `|p + q| <= `|x + y| + delta * (`|x| + `|y|).
  by rewrite -[p + q](subrK (x + y)) addrC (le_trans (ler_norm_add _ _)) // ler_add2l.
have -> : z - (x + y) = (z - (p + q)) + (p + q - (x + y)) by ring.
apply: (le_trans (ler_norm_add _ _)); apply: (le_trans (ler_add (le_trans hz (ler_wpmul2l delta0 size)) close)).
by rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
Qed.

Lemma fused_component q z x y : rounds q y -> rounds z (x + q) -> `|z - (x + y)| <= delta * (`|y| + `|x + y|) + delta ^+ 2 * `|y|.
Proof.
move=> hq hz; have close : `|x + q - (x + y)| <= delta * `|y| by rewrite opprD addrACA subrr add0r.
have size : `|x + q| <= `|x + y| + delta * `|y|.
  by rewrite -[x + q](subrK (x + y)) addrC (le_trans (ler_norm_add _ _)) // ler_add2l.
have -> : z - (x + y) = (z - (x + q)) + (x + q - (x + y)) by ring.
apply: (le_trans (ler_norm_add _ _)); apply: (le_trans (ler_add (le_trans hz (ler_wpmul2l delta0 size)) close)).
by rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
Qed.

(* delta (1 + delta) <= u, 2 delta + delta^2 <= 2u *)
Lemma delta_le : delta <= u.
Proof. by apply: le_trans delta_u; rewrite mulrDr mulr1 ler_addl mulr_ge0. Qed.
Lemma second_order : delta + delta ^+ 2 <= u.
Proof. by rewrite expr2 -{1}[delta]mulr1 -mulrDr (le_trans _ delta_u) // ler_wpmul2l // ler_add2l delta_le. Qed.
Lemma second_order_fused : delta + delta + delta ^+ 2 <= u + u.
Proof. by rewrite -addrA ler_add ?delta_le ?second_order. Qed.

(* ac, bd, ad, bc: S is |z w|^2, and x y = m n up to signs *)
Lemma doubled x y m n : x * y = m * n -> 3%:R * ((x + x) ^+ 2 + (m + n + (m + n)) ^+ 2) <=
  16%:R * (x ^+ 2 + y ^+ 2 + (m ^+ 2 + n ^+ 2)).
Proof.
move=> e; rewrite -subr_ge0.
have -> : 16%:R * (x ^+ 2 + y ^+ 2 + (m ^+ 2 + n ^+ 2)) - 3%:R * ((x + x) ^+ 2 + (m + n + (m + n)) ^+ 2) =
  4%:R * ((x - (y + y)) ^+ 2 + (m - n) ^+ 2) + 16%:R * (x * y - m * n) by ring.
by rewrite e subrr mulr0 addr0 mulr_ge0 ?ler0n // addr_ge0 ?sqr_ge0.
Qed.
Lemma once x y m n : (x + y) ^+ 2 + (m + n) ^+ 2 <= 2%:R * (x ^+ 2 + y ^+ 2 + (m ^+ 2 + n ^+ 2)).
Proof.
rewrite -subr_ge0.
have -> : 2%:R * (x ^+ 2 + y ^+ 2 + (m ^+ 2 + n ^+ 2)) - ((x + y) ^+ 2 + (m + n) ^+ 2) = (x - y) ^+ 2 + (m - n) ^+ 2 by ring.
by rewrite addr_ge0 ?sqr_ge0.
Qed.

(* two numbers of one sign, and their difference: twice the larger *)
Lemma one_sign x y : 0 <= x * y -> `|x - y| = `| `|x| - `|y| |.
Proof.
move=> xy; apply/eqP; rewrite -(@eqr_expn2 _ 2) // !real_normK ?num_real // !sqrrB !real_normK ?num_real //.
by rewrite -normrM ger0_norm.
Qed.
Lemma sizes x y m n T : 0 <= x * y -> x * y = `|m * n| -> 0 <= T <= `|m| + `|n| ->
  3%:R * ((`|x| + `|y| + `|x - y|) ^+ 2 + (`|m| + `|n| + T) ^+ 2) <= 16%:R * (x ^+ 2 + y ^+ 2 + (m ^+ 2 + n ^+ 2)).
Proof.
move=> xy e /andP[T0 TT].
have top : (`|m| + `|n| + T) ^+ 2 <= (`|m| + `|n| + (`|m| + `|n|)) ^+ 2.
  by rewrite ler_expn2r ?nnegrE ?addr_ge0 // ler_add2l.
have pr : `|x| * `|y| = `|m| * `|n| by rewrite -!normrM ger0_norm.
rewrite -(real_normK (num_real x)) -(real_normK (num_real y)) -(real_normK (num_real m)) -(real_normK (num_real n)).
rewrite one_sign //; case: (lerP `|y| `|x|) => h.
  have -> : `|x| + `|y| + (`|x| - `|y|) = `|x| + `|x| by ring.
  by apply: le_trans (doubled pr); rewrite ler_wpmul2l ?ler0n // ler_add2l.
have -> : `|x| + `|y| + (`|y| - `|x|) = `|y| + `|y| by ring.
rewrite [`|x| ^+ 2 + _]addrC; rewrite mulrC in pr.
by apply: le_trans (doubled pr); rewrite ler_wpmul2l ?ler0n // ler_add2l.
Qed.

(* both components, whatever the signs *)
Lemma components a b c d :
  3%:R * ((`|a * c| + `|b * d| + `|a * c - b * d|) ^+ 2 + (`|a * d| + `|b * c| + `|a * d + b * c|) ^+ 2) <=
  16%:R * ((a ^+ 2 + b ^+ 2) * (c ^+ 2 + d ^+ 2)).
Proof.
have -> : (a ^+ 2 + b ^+ 2) * (c ^+ 2 + d ^+ 2) = (a * c) ^+ 2 + (b * d) ^+ 2 + ((a * d) ^+ 2 + (b * c) ^+ 2) by ring.
have : a * c * (b * d) = a * d * (b * c) by ring.
move: (a * c) (b * d) (a * d) (b * c) => x y m n e.
case: (lerP 0 (x * y)) => s.
  by apply: sizes => //; [rewrite -e ger0_norm|rewrite normr_ge0 ler_norm_add].
have -> : `|m + n| = `|m - - n| by rewrite opprK.
rewrite [X in 3%:R * X]addrC [X in _ <= 16%:R * X]addrC -(normrN n) -(sqrrN n).
have neg : 0 <= m * - n by rewrite mulrN oppr_ge0 -e ltW.
apply: sizes => //; first by rewrite mulrN -e ler0_norm // ltW.
by rewrite normr_ge0 (le_trans (ler_norm_add _ _)) // normrN.
Qed.

Theorem separate_product a b c d p q v w re im :
  rounds p (a * c) -> rounds q (b * d) -> rounds v (a * d) -> rounds w (b * c) -> rounds re (p - q) -> rounds im (v + w) ->
  3%:R * ((re - (a * c - b * d)) ^+ 2 + (im - (a * d + b * c)) ^+ 2) <=
  u ^+ 2 * (16%:R * ((a ^+ 2 + b ^+ 2) * (c ^+ 2 + d ^+ 2))).
Proof.
move=> hp hq hv hw hr hi; set S := (X in _ <= _ * X).
have nq : rounds (- q) (- (b * d)) by rewrite /rounds -opprD !normrN.
have := component hp nq hr; rewrite normrN => cr; have ci := component hv hw hi.
apply: le_trans (ler_wpmul2l (ler0n _ _) (squares cr ci)) _.
have most : 3%:R * ((`|a * c| + `|b * d|) ^+ 2 + (`|a * d| + `|b * c|) ^+ 2) <= S.
  by apply: le_trans (components a b c d); rewrite ler_wpmul2l ?ler0n // ler_add // ler_expn2r ?nnegrE ?addr_ge0 // ler_addl.
apply: le_trans (minkowski (ler0n _ _) delta0 (sqr_ge0 delta) (components a b c d) most) _.
have S0 : 0 <= S by apply: le_trans most; rewrite mulr_ge0 ?ler0n // addr_ge0 ?sqr_ge0.
by rewrite ler_wpmul2r // ler_expn2r ?nnegrE ?addr_ge0 ?sqr_ge0 // second_order.
Qed.

Theorem fused_product a b c d q w re im : rounds q (b * d) -> rounds w (b * c) -> rounds re (a * c - q) -> rounds im (a * d + w) ->
  (re - (a * c - b * d)) ^+ 2 + (im - (a * d + b * c)) ^+ 2 <= (u + u) ^+ 2 * ((a ^+ 2 + b ^+ 2) * (c ^+ 2 + d ^+ 2)).
Proof.
move=> hq hw hr hi; set S := (X in _ <= _ * X).
have nq : rounds (- q) (- (b * d)) by rewrite /rounds -opprD !normrN.
have := fused_component nq hr; rewrite normrN => cr; have ci := fused_component hw hi.
apply: le_trans (squares cr ci) _; rewrite -[X in X <= _]mul1r.
have one : 1%:R * (`|b * d| ^+ 2 + `|b * c| ^+ 2) <= S.
  rewrite mul1r !real_normK ?num_real // !exprMn -mulrDr [d ^+ 2 + _]addrC ler_wpmul2r ?addr_ge0 ?sqr_ge0 //.
  by rewrite ler_addr sqr_ge0.
have all_ : 1%:R * (`|a * c - b * d| ^+ 2 + `|a * d + b * c| ^+ 2) <= S.
  by rewrite mul1r !real_normK ?num_real // le_eqVlt; apply/orP; left; apply/eqP; rewrite /S; ring.
have s0 : 0 <= delta + delta ^+ 2 by rewrite addr_ge0 ?sqr_ge0.
have split x t : delta * (x + t) + delta ^+ 2 * x = (delta + delta ^+ 2) * x + delta * t by ring.
rewrite !split; apply: le_trans (minkowski (ler0n _ 1) s0 delta0 one all_) _.
have S0 : 0 <= S by rewrite mulr_ge0 // addr_ge0 ?sqr_ge0.
rewrite ler_wpmul2r // ler_expn2r ?nnegrE ?addr_ge0 ?sqr_ge0 // addrAC; exact: second_order_fused.
Qed.

Theorem contracted_product g a b c d re im : 0 <= g ->
  `|re - (a * c - b * d)| <= g * (`|a * c| + `|b * d|) -> `|im - (a * d + b * c)| <= g * (`|a * d| + `|b * c|) ->
  (re - (a * c - b * d)) ^+ 2 + (im - (a * d + b * c)) ^+ 2 <= g ^+ 2 * (2%:R * ((a ^+ 2 + b ^+ 2) * (c ^+ 2 + d ^+ 2))).
Proof.
move=> g0 hr hi; apply: le_trans (squares hr hi) _; rewrite !exprMn -mulrDr ler_wpmul2l ?sqr_ge0 //.
apply: le_trans (once _ _ _ _) _; rewrite !real_normK ?num_real //.
by rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
Qed.
End Product.
