(* Squared norms of columns: an orthogonal matrix keeps them, so |(gamma A)^k x|^2 = gamma^(2k) |x|^2 for every k and n.
   Source: RotRNN, arXiv 2407.07239. In Python: proofs/systems/state_norm.py. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Scanproof Require Import Rotation.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Inner.
Variables (R : comRingType) (n : nat).
Implicit Types (x y z : 'cV[R]_n) (B : 'M[R]_n).

Definition inner x y : R := (x^T *m y) 0 0.
Definition square x := inner x x.

Lemma inner_addl x y z : inner (x + y) z = inner x z + inner y z.
Proof. by rewrite /inner linearD mulmxDl mxE. Qed.
Lemma inner_addr x y z : inner x (y + z) = inner x y + inner x z.
Proof. by rewrite /inner mulmxDr mxE. Qed.
Lemma inner_tr B x y : inner (B^T *m x) y = inner x (B *m y).
Proof. by rewrite /inner trmx_mul trmxK mulmxA. Qed.

Lemma innerC x y : inner x y = inner y x.
Proof. by rewrite /inner -[in LHS](trmxK y) -trmx_mul mxE. Qed.
Lemma innerNr x y : inner x (- y) = - inner x y.
Proof. by rewrite /inner mulmxN mxE. Qed.

Lemma square_scale (g : R) x : square (g *: x) = g ^+ 2 * square x.
Proof. by rewrite /square /inner [(g *: x)^T]linearZ /= -scalemxAl -scalemxAr !mxE mulrA expr2. Qed.
End Inner.

Theorem square_orthogonal (R : comUnitRingType) n (A : 'M[R]_n) x : orthogonal A -> square (A *m x) = square x.
Proof. by move=> hA; rewrite /square -inner_tr mulmxA hA mul1mx. Qed.

Theorem norm_preserved (R : comUnitRingType) n (A : 'M[R]_n) (g : R) x k :
  orthogonal A -> square (power (g *: A) k *m x) = g ^+ (2 * k) * square x.
Proof.
move=> hA; elim: k => [|k IH]; first by rewrite mul1mx muln0 mul1r.
by rewrite powerS -mulmxA -scalemxAl square_scale square_orthogonal // IH mulrA -exprD mulnS.
Qed.

Section Positive.
Variables (R : realFieldType) (n : nat).
Implicit Types (x : 'cV[R]_n).

Lemma squareE x : square x = \sum_i x i 0 ^+ 2.
Proof. by rewrite /square /inner mxE; apply: eq_bigr => i _; rewrite mxE expr2. Qed.

Lemma square_ge0 x : 0 <= square x.
Proof. by rewrite squareE sumr_ge0 // => i _; rewrite sqr_ge0. Qed.

Theorem square_eq0 x : square x = 0 -> x = 0.
Proof.
rewrite squareE => zero; apply/colP => i; rewrite mxE; apply/eqP; rewrite -sqrf_eq0; apply/eqP.
by apply: (psumr_eq0P _ zero) => // j _; apply: sqr_ge0.
Qed.
End Positive.
