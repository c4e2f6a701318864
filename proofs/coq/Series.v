(* The exponential series, coefficient by coefficient: the product of the series of exp(aS) and exp(bS) is that of
   exp((a+b)S). So exp(-S) exp(S) = I, exp(S/2)^2 = exp(S), and for skew S: exp(S)^T exp(S) = I. Any size; S enters as a formal
   power series, its convergence is not part of this file (Flow.v characterises exp(tS) by its differential equation).
   Source: RotRNN, arXiv 2407.07239 (P = exp(M - M^T)). In Python: proofs/rotations/rotation.py (exp-orthogonal-series, exp-determinant-halves). *)
From mathcomp Require Import all_ssreflect all_algebra.
From Scanproof Require Import Rotation Norm Cayley.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Series.
Variables (R : realFieldType) (n : nat).
Implicit Types (S : 'M[R]_n) (a b : R) (k : nat).

(* the part of order k: S^k / k! *)
Definition order S k : 'M[R]_n := (k`!%:R)^-1 *: power S k.

Lemma fact_neq0 k : k`!%:R != 0 :> R.
Proof. by rewrite pnatr_eq0 -lt0n fact_gt0. Qed.

(* sum_j a^j b^(k-j) / (j! (k-j)!) = (a+b)^k / k! *)
Lemma binomial a b k : \sum_(j < k.+1) (a ^+ j / j`!%:R) * (b ^+ (k - j) / (k - j)`!%:R) = (a + b) ^+ k / k`!%:R.
Proof.
rewrite addrC exprDn mulr_suml; apply: eq_bigr => j _.
have jk : (j <= k)%N by rewrite -ltnS.
have unit_bin : 'C(k, j)%:R != 0 :> R by rewrite pnatr_eq0 -lt0n bin_gt0.
rewrite -(bin_fact jk) natrM natrM mulf_div -[X in _ = X / _]mulr_natl.
by rewrite -[RHS]mulf_div divff // mul1r [b ^+ _ * _]mulrC.
Qed.

Theorem exp_add S a b k : \sum_(j < k.+1) order (a *: S) j *m order (b *: S) (k - j) = order ((a + b) *: S) k.
Proof.
rewrite /order power_scale scalerA mulrC -binomial scaler_suml; apply: eq_bigr => j _.
have jk : (j <= k)%N by rewrite -ltnS.
rewrite !power_scale -!scalemxAl -!scalemxAr -power_add subnKC // !scalerA; congr (_ *: _).
by rewrite -!mulrA [b ^+ _ * _]mulrC mulrCA.
Qed.

Lemma order0 k : order 0 k = if k == 0%N then 1%:M else 0.
Proof. by case: k => [|k]; rewrite /order /= ?mul0mx ?scaler0 // invr1 scale1r. Qed.

Theorem exp_inverse S k : (0 < k)%N -> \sum_(j < k.+1) order (- S) j *m order S (k - j) = 0.
Proof.
move=> k0; have := exp_add S (-1) 1 k; rewrite addNr scale0r order0 scaleN1r scale1r => ->.
by case: k k0.
Qed.

Theorem exp_halves S k : \sum_(j < k.+1) order (2%:R^-1 *: S) j *m order (2%:R^-1 *: S) (k - j) = order S k.
Proof. by rewrite exp_add -mulr2n -[_^-1 *+ 2]mulr_natl divff ?scale1r // pnatr_eq0. Qed.

(* exp(M - M^T) is orthogonal: I at order 0, nothing at any other *)
Theorem exp_orthogonal (M : 'M[R]_n) k (S := M - M^T) :
  \sum_(j < k.+1) (order S j)^T *m order S (k - j) = if k == 0%N then 1%:M else 0.
Proof.
have tr j : (order S j)^T = order (-1 *: S) j.
  by rewrite /order linearZ /= power_tr skew_difference scaleN1r.
have := exp_add S (-1) 1 k; rewrite addNr scale0r order0 scale1r => <-.
by apply: eq_bigr => j _; rewrite tr.
Qed.
End Series.
