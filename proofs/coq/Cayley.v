(* The Cayley transform of a skew S, any size: I + S is invertible and (I - S)(I + S)^-1 is a rotation.
   It gives exact rational rotations: proofs/engine/instances.py makes its test matrices so. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Scanproof Require Import Rotation Norm.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Cayley.
Variables (R : realFieldType) (n : nat).
Implicit Types (S : 'M[R]_n) (x : 'cV[R]_n).

Definition skew S := S^T = - S.
Definition cayley S := (1%:M - S) *m invmx (1%:M + S).

Theorem skew_difference (M : 'M[R]_n) : skew (M - M^T).
Proof. by rewrite /skew linearB /= trmxK opprB. Qed.

Lemma inner_skew S x : skew S -> inner x (S *m x) = 0.
Proof.
move=> hS; have /eqP : inner x (S *m x) = - inner x (S *m x).
  by rewrite -{1}inner_tr hS mulNmx innerC innerNr.
by rewrite -addr_eq0 -mulr2n mulrn_eq0 => /eqP.
Qed.

(* a kernel vector x of I + S has |x|^2 = -x^T S x = 0 *)
Theorem cayley_unit S : skew S -> 1%:M + S \in unitmx.
Proof.
move=> hS; rewrite -unitmx_tr -row_free_unit -kermx_eq0; apply/eqP/row_matrixP => i; rewrite row0.
set r := row i _; apply: trmx_inj; rewrite trmx0; apply: square_eq0.
have /(congr1 trmx) : r *m (1%:M + S)^T = 0 by apply/sub_kermxP; apply: row_sub.
rewrite trmx_mul trmxK trmx0 mulmxDl mul1mx => zero.
have := congr1 (inner r^T) zero; rewrite inner_addr inner_skew // addr0 -/(square _) => ->.
by rewrite /inner mulmx0 mxE.
Qed.

Theorem cayley_special S : skew S -> special (cayley S).
Proof.
move=> hS; have tr_plus : (1%:M + S)^T = 1%:M - S by rewrite linearD /= trmx1 hS.
have tr_minus : (1%:M - S)^T = 1%:M + S by rewrite linearB /= trmx1 hS opprK.
have plus := cayley_unit hS.
have minus : 1%:M - S \in unitmx by rewrite -tr_plus unitmx_tr.
have commute : (1%:M + S) *m (1%:M - S) = (1%:M - S) *m (1%:M + S).
  by rewrite mulmxDl mulmxBl !mul1mx mulmxBr mulmxDr !mulmx1 addrA subrK opprD addrA addrK.
split; rewrite /cayley.
  rewrite /orthogonal trmx_mul trmx_inv tr_plus tr_minus.
  by rewrite !mulmxA -(mulmxA _ (1%:M + S)) commute mulmxA mulVmx // mul1mx mulmxV.
by rewrite det_mulmx det_inv -(det_tr (1%:M - S)) tr_minus divrr.
Qed.
End Cayley.
