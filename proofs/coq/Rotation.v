(* Rotations of any size: orthogonal matrices, those of determinant 1, their products, powers and conjugates.
     orthogonal A     A^T A = I
     special A        A is in SO(n): orthogonal, determinant 1
     power A k        A^k for any size n, also 0
   Source: RotRNN, arXiv 2407.07239: A = P Theta P^T.
   In Python: proofs/rotations/rotation.py, proofs/rotations/canonical_form.py. *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Powers.
Variables (R : comRingType) (n : nat).
Implicit Types (A B : 'M[R]_n).

Definition power A k := iter k (mulmx A) 1%:M.

Lemma powerS A k : power A k.+1 = A *m power A k. Proof. by []. Qed.

Theorem power_add A j k : power A (j + k) = power A j *m power A k.
Proof. by elim: j => [|j IH]; rewrite ?mul1mx // addSn !powerS IH mulmxA. Qed.

Lemma power_scale (g : R) A k : power (g *: A) k = g ^+ k *: power A k.
Proof.
elim: k => [|k IH]; first by rewrite scale1r.
by rewrite !powerS IH -scalemxAl -scalemxAr scalerA exprS.
Qed.

Lemma power_tr A k : (power A k)^T = power A^T k.
Proof.
elim: k => [|k IH]; first by rewrite trmx1.
by rewrite powerS trmx_mul IH -[in RHS](addn1 k) power_add /= mulmx1.
Qed.
End Powers.

Section Rotation.
Variables (R : comUnitRingType) (n : nat).
Implicit Types (A P Q T : 'M[R]_n).

Definition orthogonal A := A^T *m A = 1%:M.
Definition special A := orthogonal A /\ \det A = 1.

(* a left inverse of a square matrix is a right inverse *)
Lemma orthogonal_right A : orthogonal A -> A *m A^T = 1%:M.
Proof. exact: mulmx1C. Qed.

Lemma orthogonal_tr A : orthogonal A -> orthogonal A^T.
Proof. by rewrite {2}/orthogonal trmxK; apply: orthogonal_right. Qed.

Theorem orthogonal_mul P Q : orthogonal P -> orthogonal Q -> orthogonal (P *m Q).
Proof. by move=> hP hQ; rewrite /orthogonal trmx_mul mulmxA -(mulmxA Q^T) hP mulmx1. Qed.

Lemma orthogonal_conj P T : orthogonal P -> orthogonal T -> orthogonal (P *m T *m P^T).
Proof. by move=> hP hT; apply: orthogonal_mul (orthogonal_tr hP); apply: orthogonal_mul. Qed.

Theorem det_orthogonal P : orthogonal P -> \det P ^+ 2 = 1.
Proof. by move=> hP; rewrite expr2 -{1}(det_tr P) -det_mulmx hP det1. Qed.

(* P T P^T is a rotation whenever T is one; P may be a reflection *)
Theorem special_conj P T : orthogonal P -> special T -> special (P *m T *m P^T).
Proof.
move=> hP [hT dT]; split; first exact: orthogonal_conj.
by rewrite !det_mulmx det_tr dT mulr1 -expr2 det_orthogonal.
Qed.

(* half steps: exp(S) = exp(S/2)^2 is a square, so its determinant is 1 *)
Theorem special_square P : orthogonal P -> special (P *m P).
Proof. by move=> hP; split; [apply: orthogonal_mul | rewrite det_mulmx -expr2 det_orthogonal]. Qed.

Lemma special1 : special (1%:M : 'M[R]_n).
Proof. by split; [rewrite /orthogonal trmx1 mulmx1 | rewrite det1]. Qed.

Theorem special_mul P Q : special P -> special Q -> special (P *m Q).
Proof. by move=> [hP dP] [hQ dQ]; split; [apply: orthogonal_mul | rewrite det_mulmx dP dQ mulr1]. Qed.

Theorem special_power A k : special A -> special (power A k).
Proof. by move=> hA; elim: k => [|k IH]; [apply: special1 | apply: special_mul]. Qed.

(* A = P Theta P^T: A^k = P Theta^k P^T, so powers and scans need Theta only *)
Theorem power_conj P T k : orthogonal P -> power (P *m T *m P^T) k = P *m power T k *m P^T.
Proof.
move=> hP; elim: k => [|k IH]; first by rewrite mulmx1 orthogonal_right.
by rewrite !powerS IH !mulmxA -(mulmxA _ P^T P) hP mulmx1.
Qed.
End Rotation.

(* odd sizes: one fixed direction more *)
Theorem special_fixed (R : comUnitRingType) n (A : 'M[R]_n) : special A -> special (block_mx A 0 0 (1%:M : 'M_1)).
Proof.
move=> [hA dA]; split; last by rewrite det_ublock dA det1 mulr1.
rewrite /orthogonal tr_block_mx mulmx_block !trmx0 trmx1 !mulmx0 !mul0mx !mulmx1 !addr0 add0r hA.
by rewrite -scalar_mx_block.
Qed.
