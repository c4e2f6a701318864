(* exp(tS) is orthogonal for every size and every real t: any E with E' = S E and E(0) = I, S skew, has E(t)^T E(t) = I.
   Matrices are functions of two indices that run over 0, ..., n. The proof: d/dt (E^T E) = E^T (S^T + S) E = 0.
   That exp(tS) solves this equation is the definition of exp here; the series is in Series.v.
   Source: RotRNN, arXiv:2407.07239, section 3.1. In Python: proofs/rotation.py (exp-orthogonal-flow). *)
From Coq Require Import Reals Lia Arith.
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

Section Flow.
Variables (n : nat) (M : nat -> nat -> R) (E : R -> nat -> nat -> R).
Hypothesis skew : forall i j, M i j = - M j i.
Hypothesis ode : forall t i j, is_derive (fun t => E t i j) t (sum_n (fun k => M i k * E t k j) n).
Hypothesis init : forall i j, E 0 i j = delta i j.

Definition gram t i j := sum_n (fun k => E t k i * E t k j) n.

Lemma conserved t i j : is_derive (fun t => gram t i j) t 0.
Proof.
unfold gram; evar_last.
- apply derive_sum; intros k; apply (is_derive_mult (fun t => E t k i) (fun t => E t k j)); try apply ode.
  intros; apply Rmult_comm.
- unfold plus, mult; simpl; rewrite sum_add.
  erewrite sum_n_ext; [|intros k; symmetry; apply sum_right].
  erewrite (sum_n_ext (fun k => E t k i * _)); [|intros k; symmetry; apply sum_left].
  rewrite (sum_n_switch (fun k l => E t k i * (M k l * E t l j))).
  rewrite <- sum_add, <- (sum_zero n); apply sum_n_ext; intros k.
  rewrite <- sum_add, <- (sum_zero n); apply sum_n_ext; intros l.
  rewrite (skew l k); real_ring.
Qed.

Theorem flow_orthogonal t i j : (i <= n)%nat -> (j <= n)%nat -> gram t i j = delta i j.
Proof.
intros hi hj; rewrite (constant (fun t => gram t i j)) by (intros; apply conserved).
unfold gram; rewrite (sum_n_ext _ (fun k => delta k i * delta k j)) by (intros; now rewrite !init).
now rewrite (pick (fun k => delta k j)).
Qed.
End Flow.
