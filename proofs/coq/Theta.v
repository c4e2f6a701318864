(* Theta, any number m of plane rotations side by side: a rotation, and Theta(a)^k = Theta(k a).
   In a basis that lists first all first coordinates and then all second ones, Theta(a) = [[C, -S], [S, C]] with
   C = diag(cos a_1, ..., cos a_m) and S = diag(sin a_1, ..., sin a_m).
   cos and sin are any two functions with the addition formulas and the symmetries that the hypotheses state.
   Source: RotRNN, arXiv 2407.07239. In Python: proofs/rotations/canonical_form.py, proofs/rotations/rotation_operator.py. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Scanproof Require Import Rotation Scan.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Theta.
Variables (R : comUnitRingType) (m : nat) (cos sin : R -> R).
Hypothesis cosD : forall a b, cos (a + b) = cos a * cos b - sin a * sin b.
Hypothesis sinD : forall a b, sin (a + b) = sin a * cos b + cos a * sin b.
Hypotheses (cos0 : cos 0 = 1) (sin0 : sin 0 = 0).
Hypotheses (cosN : forall a, cos (- a) = cos a) (sinN : forall a, sin (- a) = - sin a).
Implicit Types a b : 'rV[R]_m.

Definition C a := diag_mx (map_mx cos a).
Definition S a := diag_mx (map_mx sin a).
Definition Theta a : 'M[R]_(m + m) := block_mx (C a) (- S a) (S a) (C a).

Lemma diag_mul (x y : 'rV[R]_m) : diag_mx x *m diag_mx y = diag_mx (\row_i (x 0 i * y 0 i)).
Proof. by apply/matrixP => i j; rewrite mul_diag_mx !mxE mulrnAr. Qed.

Lemma C_add a b : C (a + b) = C a *m C b - S a *m S b.
Proof. by rewrite /C /S !diag_mul -linearB; congr diag_mx; apply/rowP => i; rewrite !mxE cosD. Qed.
Lemma S_add a b : S (a + b) = S a *m C b + C a *m S b.
Proof. by rewrite /C /S !diag_mul -linearD; congr diag_mx; apply/rowP => i; rewrite !mxE sinD. Qed.
Lemma C_opp a : C (- a) = C a.
Proof. by congr diag_mx; apply/rowP => i; rewrite !mxE cosN. Qed.
Lemma S_opp a : S (- a) = - S a.
Proof. by rewrite /S -linearN; congr diag_mx; apply/rowP => i; rewrite !mxE sinN. Qed.

Theorem Theta_add a b : Theta (a + b) = Theta a *m Theta b.
Proof.
rewrite /Theta mulmx_block C_add S_add !mulmxN !mulNmx opprD.
by congr block_mx; rewrite addrC.
Qed.

Lemma Theta_tr a : (Theta a)^T = Theta (- a).
Proof. by rewrite /Theta tr_block_mx C_opp S_opp opprK linearN /= !tr_diag_mx. Qed.

Lemma Theta0 : Theta 0 = 1%:M.
Proof.
have c : C 0 = 1%:M by apply/matrixP => i j; rewrite !mxE cos0.
have s : S 0 = 0 by apply/matrixP => i j; rewrite !mxE sin0 mul0rn.
by rewrite /Theta c s oppr0 -scalar_mx_block.
Qed.

Theorem Theta_orthogonal a : orthogonal (Theta a).
Proof. by rewrite /orthogonal Theta_tr -Theta_add addNr Theta0. Qed.

(* Theta(a) is the square of Theta(a / 2) *)
Theorem Theta_special a (half : R) : half + half = 1 -> special (Theta a).
Proof.
move=> h; rewrite -(scale1r a) -h scalerDl Theta_add.
exact/special_square/Theta_orthogonal.
Qed.

Theorem Theta_power a k : power (Theta a) k = Theta (a *+ k).
Proof. by elim: k => [|k IH]; rewrite ?mulr0n ?Theta0 // powerS IH -Theta_add mulrS. Qed.

(* A = P Theta P^T of RotRNN, and its powers *)
Theorem rotation_power (P : 'M[R]_(m + m)) a k : orthogonal P ->
  power (P *m Theta a *m P^T) k = P *m Theta (a *+ k) *m P^T.
Proof. by move=> hP; rewrite power_conj // Theta_power. Qed.

(* the operator that adds angles: (g, a, x) then (g', a', x') is (g g', a + a', g' Theta(a') x + x') *)
Definition turn := (R * 'rV[R]_m * 'cV[R]_(m + m))%type.
Definition then_turn (p q : turn) : turn :=
  (p.1.1 * q.1.1, p.1.2 + q.1.2, q.1.1 *: (Theta q.1.2 *m p.2) + q.2).
Definition as_affine (p : turn) : element R (m + m) 1 := (p.1.1 *: Theta p.1.2, p.2).

Theorem turn_assoc : associative then_turn.
Proof.
move=> [[g a] x] [[h b] y] [[k c] z]; rewrite /then_turn /=; congr (_, _, _); rewrite ?mulrA ?addrA //.
by rewrite mulmxDr scalerDr -scalemxAr scalerA mulmxA -Theta_add [c + b]addrC [k * h]mulrC.
Qed.
Theorem turn_left : left_id (1, 0, 0) then_turn.
Proof. by move=> [[g a] x]; rewrite /then_turn /= mul1r add0r mulmx0 scaler0 add0r. Qed.
Theorem turn_right : right_id (1, 0, 0) then_turn.
Proof. by move=> [[g a] x]; rewrite /then_turn /= mulr1 addr0 Theta0 mul1mx scale1r addr0. Qed.

Theorem turn_affine p q : as_affine (then_turn p q) = compose (as_affine p) (as_affine q).
Proof.
case: p q => [[g a] x] [[h b] y]; rewrite /as_affine /compose /=; congr (_, _).
  by rewrite -scalemxAl -scalemxAr scalerA -Theta_add [b + a]addrC [h * g]mulrC.
by rewrite -scalemxAl.
Qed.
End Theta.
