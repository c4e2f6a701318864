(* What one rounded operation does to an error bound.

   In words: x' is near x, with sizes X' and X, when |x' - x| <= X' - X and |x| <= X: X is the size of x, X' the size with every
   rounding against us. Products, sums and roundings keep this. R is any numDomainType: real and complex numbers alike, |.| its
   norm.
   Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), chapter 3; docs/theorem.md. Relied on by: every other
   Bound and Circuit file; in Python claim `rounding-near` (proofs/rounding/rounding_theorem.py). *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Ltac pos := repeat (apply: addr_ge0 || apply: mulr_ge0 || apply: exprn_ge0 || exact: normr_ge0 || exact: ler01 || done).

Section Near.
Variable R : numDomainType.
Implicit Types x y X Y : R.

Definition near x' x X' X := (`|x' - x| <= X' - X) && (`|x| <= X).

Lemma near_ge0 x' x X' X : near x' x X' X -> 0 <= X <= X'.
Proof. by case/andP=> h1 h2; rewrite (le_trans _ h2) //= -subr_ge0 (le_trans _ h1). Qed.

Lemma near_abs x' x X' X : near x' x X' X -> `|x'| <= X'.
Proof.
case/andP=> h1 h2; rewrite -[x'](subrK x) (le_trans (ler_norm_add _ _)) //.
by rewrite -[X'](subrK X) ler_add.
Qed.

Lemma near_weak x' x X' X Y : near x' x X' X -> X' <= Y -> near x' x Y X.
Proof. by case/andP=> h1 h2 h; rewrite /near h2 andbT (le_trans h1) // ler_add2r. Qed.

Lemma near_prod x' x X' X y' y Y' Y : near x' x X' X -> near y' y Y' Y -> near (x' * y') (x * y) (X' * Y') (X * Y).
Proof.
move=> hx hy; have /andP[X0 XX] := near_ge0 hx; have /andP[Y0 YY] := near_ge0 hy.
have ax := near_abs hx; case/andP: hx => hx1 hx2; case/andP: hy => hy1 hy2.
apply/andP; split; last by rewrite normrM ler_pmul.
have -> : x' * y' - x * y = x' * (y' - y) + (x' - x) * y by ring.
have -> : X' * Y' - X * Y = X' * (Y' - Y) + (X' - X) * Y by ring.
by rewrite (le_trans (ler_norm_add _ _)) // ler_add // normrM ler_pmul.
Qed.

Lemma near_sum x' x X' X y' y Y' Y : near x' x X' X -> near y' y Y' Y -> near (x' + y') (x + y) (X' + Y') (X + Y).
Proof.
move=> /andP[hx1 hx2] /andP[hy1 hy2]; apply/andP; split.
  have -> : x' + y' - (x + y) = (x' - x) + (y' - y) by ring.
  have -> : X' + Y' - (X + Y) = (X' - X) + (Y' - Y) by ring.
  by rewrite (le_trans (ler_norm_add _ _)) // ler_add.
by rewrite (le_trans (ler_norm_add _ _)) // ler_add.
Qed.

Lemma near_round d e z z' x X' X : 0 <= d -> `|z - z'| <= d * `|z'| + e -> near z' x X' X -> near z x ((1 + d) * X' + e) X.
Proof.
move=> d0 hz h; have a := near_abs h; case/andP: h => h1 h2; apply/andP; split=> //.
have -> : z - x = (z - z') + (z' - x) by ring.
have -> : (1 + d) * X' + e - X = (d * X' + e) + (X' - X) by ring.
rewrite (le_trans (ler_norm_add _ _)) // ler_add // (le_trans hz) //.
by rewrite ler_add2r ler_wpmul2l.
Qed.

(* one step p + x of a scan, p the product: their roundings may differ *)
Lemma near_step d1 d2 e z p' p P' P x' x X' X : 0 <= d1 -> 0 <= d2 ->
  `|z - (p' + x')| <= d1 * `|p'| + d2 * `|x'| + e -> near p' p P' P -> near x' x X' X ->
  near z (p + x) ((1 + d1) * P' + (1 + d2) * X' + e) (P + X).
Proof.
move=> d10 d20 hz hp hx; have ap := near_abs hp; have ax := near_abs hx.
have /andP[h1 h2] := near_sum hp hx; apply/andP; split=> //.
have -> : z - (p + x) = (z - (p' + x')) + (p' + x' - (p + x)) by ring.
have -> : (1 + d1) * P' + (1 + d2) * X' + e - (P + X) = (d1 * P' + d2 * X' + e) + (P' + X' - (P + X)) by ring.
rewrite (le_trans (ler_norm_add _ _)) // ler_add // (le_trans hz) // ler_add2r.
by rewrite ler_add // ler_wpmul2l.
Qed.

Lemma near_exact x : near x x `|x| `|x|.
Proof. by rewrite /near !subrr normr0 !lexx. Qed.

Lemma near_read x' x e : `|x' - x| <= e -> near x' x (`|x| + e) `|x|.
Proof. by move=> h; rewrite /near lexx andbT addrAC subrr add0r. Qed.

Lemma max_ge (a b : R) : 0 <= a -> 0 <= b -> (a <= Num.max a b) && (b <= Num.max a b).
Proof.
by move=> a0 b0; rewrite !comparable_le_maxr ?lexx ?orbT //; apply: real_comparable; rewrite ger0_real.
Qed.
End Near.
