(* exp(tS) is orthogonal for every size and every real t: any E with E' = S E and E(0) = I, S skew, has E(t)^T E(t) = I;
   there is only one such E, and E(s + t) = E(s) E(t).
   Matrices are functions of two indices that run over 0, ..., n. The proof: d/dt (E^T E) = E^T (S^T + S) E = 0.
   That exp(tS) solves this equation is the definition of exp here; the series is in Series.v.
   Source: RotRNN, arXiv 2407.07239 (P = exp(M - M^T)). In Python: proofs/rotations/rotation.py (exp-orthogonal-flow). *)
From Coq Require Import Reals Lra Lia Arith.
From Coquelicot Require Import Coquelicot.
Open Scope R_scope.

(* equations of Coquelicot live in its own structures *)
Ltac real_ring := unfold plus, mult, zero, one; simpl; match goal with |- @eq _ ?a ?b => change (@eq R a b) end; ring.

Definition delta i j := if Nat.eqb i j then 1 else 0.

Lemma sum_right (c : R) u n : sum_n (fun k => u k * c) n = sum_n u n * c.
Proof. exact (sum_n_mult_r (K := R_Ring) c u n). Qed.
Lemma sum_left (c : R) u n : sum_n (fun k => c * u k) n = c * sum_n u n.
Proof. exact (sum_n_mult_l (K := R_Ring) c u n). Qed.
Lemma sum_add (u v : nat -> R) n : sum_n (fun k => u k + v k) n = sum_n u n + sum_n v n.
Proof. exact (sum_n_plus u v n). Qed.
Lemma sum_zero n : sum_n (fun _ => 0) n = 0.
Proof. now rewrite sum_n_const, Rmult_0_r. Qed.

Lemma derive_sum (f : nat -> R -> R) (df : nat -> R) t n :
  (forall k, is_derive (f k) t (df k)) -> is_derive (fun t => sum_n (fun k => f k t) n) t (sum_n df n).
Proof.
intros h; induction n as [|n IH].
- apply is_derive_ext with (f 0%nat); [intros; now rewrite sum_O|]; rewrite sum_O; apply h.
- apply is_derive_ext with (fun t => sum_n (fun k => f k t) n + f (S n) t); [intros; now rewrite sum_Sn|].
  rewrite sum_Sn; apply (is_derive_plus (V := R_NormedModule)); auto.
Qed.

Lemma derive_scale (f : R -> R) d t c : is_derive f t d -> is_derive (fun t => f t * c) t (d * c).
Proof. intros h; exact (is_derive_scal_l (V := R_NormedModule) f t d c h). Qed.

(* multiplying by I picks one term *)
Lemma pick (u : nat -> R) i n : (i <= n)%nat -> sum_n (fun k => delta k i * u k) n = u i.
Proof.
unfold delta; induction n as [|n IH]; intros h.
- replace i with 0%nat by lia; rewrite sum_O; simpl; real_ring.
- rewrite sum_Sn; destruct (Nat.eq_dec i (S n)) as [->|other].
  + rewrite (sum_n_ext_loc _ (fun _ => 0)), sum_zero; [rewrite Nat.eqb_refl; real_ring|].
    intros k hk; rewrite (proj2 (Nat.eqb_neq k (S n))) by lia; real_ring.
  + rewrite IH by lia; rewrite (proj2 (Nat.eqb_neq (S n) i)) by lia; real_ring.
Qed.

Lemma constant (f : R -> R) t : (forall s, is_derive f s 0) -> f t = f 0.
Proof.
intros flat; destruct (Rtotal_order t 0) as [before|[->|after]]; [|reflexivity|].
- now apply eq_is_derive.
- symmetry; now apply eq_is_derive.
Qed.

Lemma squares_zero (u : nat -> R) n : sum_n (fun k => u k * u k) n = 0 -> forall k, (k <= n)%nat -> u k = 0.
Proof.
assert (positive : forall m, 0 <= sum_n (fun k => u k * u k) m).
{ intros m; induction m as [|m IH]; [rewrite sum_O; apply Rle_0_sqr|].
  rewrite sum_Sn; apply Rplus_le_le_0_compat; [exact IH | apply Rle_0_sqr]. }
induction n as [|n IH]; intros zero k hk.
- rewrite sum_O in zero; replace k with 0%nat by lia; now apply Rsqr_0_uniq.
- rewrite sum_Sn in zero; assert (0 <= u (S n) * u (S n)) by apply Rle_0_sqr.
  specialize (positive n); unfold plus in zero; simpl in zero.
  destruct (Nat.eq_dec k (S n)) as [->|other]; [apply Rsqr_0_uniq; unfold Rsqr; lra | apply IH; [lra | lia]].
Qed.

Section Flow.
Variables (n : nat) (M : nat -> nat -> R).
Hypothesis skew : forall i j, M i j = - M j i.
Implicit Types E X Y : R -> nat -> nat -> R.

Definition flows X := forall t i j, is_derive (fun t => X t i j) t (sum_n (fun k => M i k * X t k j) n).
Definition gram X t i j := sum_n (fun k => X t k i * X t k j) n.

Lemma conserved X t i j : flows X -> gram X t i j = gram X 0 i j.
Proof.
intros ode; apply (constant (fun t => gram X t i j)); clear t; intros t; unfold gram; evar_last.
- apply derive_sum; intros k; apply (is_derive_mult (fun t => X t k i) (fun t => X t k j)); try apply ode.
  intros; apply Rmult_comm.
- unfold plus, mult; simpl; rewrite sum_add.
  erewrite sum_n_ext; [|intros k; symmetry; apply sum_right].
  erewrite (sum_n_ext (fun k => X t k i * _)); [|intros k; symmetry; apply sum_left].
  rewrite (sum_n_switch (fun k l => X t k i * (M k l * X t l j))).
  rewrite <- sum_add, <- (sum_zero n); apply sum_n_ext; intros k.
  rewrite <- sum_add, <- (sum_zero n); apply sum_n_ext; intros l.
  rewrite (skew l k); real_ring.
Qed.

Theorem flow_orthogonal E t i j : flows E -> (forall i j, E 0 i j = delta i j) ->
  (i <= n)%nat -> (j <= n)%nat -> gram E t i j = delta i j.
Proof.
intros ode init hi hj; rewrite conserved by assumption.
unfold gram; rewrite (sum_n_ext _ (fun k => delta k i * delta k j)) by (intros; now rewrite !init).
now rewrite (pick (fun k => delta k j)).
Qed.

(* the difference of two solutions is one, and keeps the norm 0 of its columns *)
Theorem flow_unique X Y t i j : flows X -> flows Y ->
  (forall i j, (i <= n)%nat -> X 0 i j = Y 0 i j) -> (i <= n)%nat -> X t i j = Y t i j.
Proof.
intros odeX odeY same hi; set (Z := fun t i j => X t i j - Y t i j).
assert (odeZ : flows Z).
{ intros s k l; unfold Z; evar_last; [apply (is_derive_minus (V := R_NormedModule)); [apply odeX | apply odeY]|].
  rewrite (sum_n_ext (fun m => M k m * Z s m l) (fun m => M k m * X s m l + -1 * (M k m * Y s m l)))
    by (intros; unfold Z; real_ring).
  rewrite sum_add, sum_left; unfold minus, opp, plus; simpl; ring. }
apply Rminus_diag_uniq; change (Z t i j = 0).
apply (squares_zero (fun k => Z t k j) n); [|assumption].
change (gram Z t j j = 0); rewrite conserved by assumption.
transitivity (sum_n (fun _ => 0) n); [apply sum_n_ext_loc | apply sum_zero].
intros k hk; unfold Z; rewrite same by assumption; real_ring.
Qed.

(* exp((s + t) S) = exp(s S) exp(t S); s = t gives the half steps *)
Theorem flow_add E s t i j : flows E -> (forall i j, E 0 i j = delta i j) -> (i <= n)%nat ->
  E (s + t) i j = sum_n (fun k => E s i k * E t k j) n.
Proof.
intros ode init hi.
apply (flow_unique (fun s => E (s + t)) (fun s i j => sum_n (fun k => E s i k * E t k j) n) s); [| | |assumption].
- clear s; intros s k l; evar_last.
  + apply (is_derive_comp (fun r => E r k l) (fun s => s + t)); [apply ode |].
    exact (is_derive_plus (V := R_NormedModule) (fun s => s) (fun _ => t) s _ _ (is_derive_id s) (is_derive_const t s)).
  + unfold scal; simpl; unfold mult; simpl; real_ring.
- clear s; intros s k l; evar_last.
  + apply derive_sum; intros m; apply derive_scale, ode.
  + rewrite (sum_n_ext (fun m => M k m * _) (fun m => sum_n (fun r => M k m * E s m r * E t r l) n)).
    * rewrite sum_n_switch; apply sum_n_ext; intros m; now rewrite sum_right.
    * intros m; rewrite <- sum_left; apply sum_n_ext; intros; real_ring.
- intros k l hk; rewrite Rplus_0_l, (sum_n_ext _ (fun m => delta m k * E t m l)).
  + symmetry; now apply (pick (fun m => E t m l)).
  + intros m; rewrite init; unfold delta; now rewrite Nat.eqb_sym.
Qed.
End Flow.

(* the hypotheses can be met: the rotation of the plane by the angle t *)
Definition quarter i j := match i, j with 0%nat, 1%nat => -1 | 1%nat, 0%nat => 1 | _, _ => 0 end.
Definition turn t i j := match i, j with
  | 0%nat, 0%nat => cos t | 0%nat, 1%nat => - sin t | 1%nat, 0%nat => sin t | 1%nat, 1%nat => cos t | _, _ => delta i j end.

Theorem flow_plane : (forall i j, quarter i j = - quarter j i) /\ flows 1 quarter turn /\ (forall i j, turn 0 i j = delta i j).
Proof.
split; [|split].
- intros [|[|i]] [|[|j]]; simpl; ring.
- assert (dcos : forall t, is_derive cos t (- sin t)) by (intros; apply is_derive_Reals, derivable_pt_lim_cos).
  assert (dsin : forall t, is_derive sin t (cos t)) by (intros; apply is_derive_Reals, derivable_pt_lim_sin).
  assert (dopp := fun t => is_derive_opp (V := R_NormedModule) sin t (cos t) (dsin t)).
  assert (dconst := fun c t : R => is_derive_const (V := R_NormedModule) c t).
  intros t [|[|i]] [|[|j]]; evar_last; [exact (dcos t)| | exact (dopp t)| | exact (dconst _ t)| |
    exact (dsin t)| | exact (dcos t)| | exact (dconst _ t)| | exact (dconst _ t)| | exact (dconst _ t)| | exact (dconst _ t)|];
    rewrite sum_Sn, sum_O; simpl; unfold delta, opp; real_ring.
- intros [|[|i]] [|[|j]]; simpl; rewrite ?cos_0, ?sin_0; unfold delta; simpl; ring.
Qed.
