(* A head of RotRNN is an LRU whose eigenvalues come in conjugate pairs: Theta V = V diag(exp(i a), exp(-i a)) and V W = 2 I,
   any number of angles, so that the states of one are those of the other in another basis.
   The ring has an i with i^2 = -1; cos and sin enter as the values c_k, s_k of each angle, and need no property.
   Source: RotRNN, arXiv 2407.07239, against the Linear Recurrent Unit, arXiv 2303.06349.
   In Python: proofs/systems/equivalence.py. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Scanproof Require Import Rotation Scan.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Pairs.
Variables (R : comUnitRingType) (m : nat) (i : R).
Hypothesis ii : i * i = -1.
Implicit Types c s : 'rV[R]_m.

Definition rotate c s : 'M[R]_(m + m) := block_mx (diag_mx c) (- diag_mx s) (diag_mx s) (diag_mx c).
Definition Lambda c s : 'M[R]_(m + m) := block_mx (diag_mx c + i *: diag_mx s) 0 0 (diag_mx c - i *: diag_mx s).
Definition V : 'M[R]_(m + m) := block_mx 1%:M 1%:M (- i%:M) i%:M.
Definition W : 'M[R]_(m + m) := block_mx 1%:M i%:M 1%:M (- i%:M).

Theorem pairs_diagonal c s : rotate c s *m V = V *m Lambda c s.
Proof.
rewrite /rotate /V /Lambda !mulmx_block !mulmx0 !addr0 !add0r !mulmx1 !mul1mx !mulNmx !mulmxN !mul_mx_scalar.
rewrite !mul_scalar_mx !opprK scalerDr scalerBr !scalerA ii !scaleN1r opprD !opprK.
by congr block_mx; rewrite addrC.
Qed.

Theorem pairs_invertible : V *m W = 2%:R%:M.
Proof.
have twice : 1%:M + 1%:M = 2%:R%:M :> 'M[R]_m by rewrite mulr2n raddfD.
rewrite /V /W mulmx_block !mulmx1 !mul1mx !mulNmx !mulmxN -!scalar_mxM ii raddfN.
by rewrite !opprK subrr addNr twice -scalar_mx_block.
Qed.

(* x: states of RotRNN in the basis of Theta, driven by c; z: those of the LRU, driven by W c / 2 *)
Theorem rotrnn_is_lru (g : R) cos sin (x z c : nat -> 'cV[R]_(m + m)) : 2%:R \is a (@GRing.unit R) ->
  V *m z 0%N = x 0%N ->
  (forall t, x t.+1 = (g *: rotate cos sin) *m x t + c t) ->
  (forall t, z t.+1 = (g *: Lambda cos sin) *m z t + 2%:R^-1 *: (W *m c t)) ->
  forall t, x t = V *m z t.
Proof.
move=> two start xS zS.
apply: (change_of_basis (A := fun _ => g *: rotate cos sin) (c := fun t => 2%:R^-1 *: (W *m c t)) _ _ _ zS).
- by move=> t; rewrite -scalemxAl -scalemxAr pairs_diagonal.
- by rewrite start.
- by move=> t; rewrite xS -scalemxAr mulmxA pairs_invertible mul_scalar_mx scalerA mulVr ?scale1r.
Qed.
End Pairs.
