(* Every T: h_t = lam_t h_{t-1} + x_t in binary32, h_0 = 0, with |lam_t| <= 255/256 and |x_t| <= 1, one step rounded twice or
   once (FMA), is never further than 385/65536 from the exact state. Gappa proves one step, induction carries it on.
   Underflow is included; nothing overflows, for |computed h_t| < 257.
   Source: Daumas and Melquiond, ACM TOMS 37 (2010), for Gappa. In Python: the sequential bound of reference/allowance/rounding.py grants
   more than 385/65536 here (tests/proofs/test_gappa.py compares them). *)
From Coq Require Import Reals Psatz.
From Flocq Require Import Core.
From Gappa Require Import Gappa_tactic.
From Scanproof Require Import Binary32.
Open Scope R_scope.

Definition E := 385 / 65536.

Fixpoint exact (lam x : nat -> R) t := match t with O => 0 | S t => lam t * exact lam x t + x t end.
Fixpoint computed (step : R -> R -> R -> R) (lam x : nat -> R) t :=
  match t with O => 0 | S t => step (lam t) (computed step lam x t) (x t) end.

Definition separate lam h x := rnd (rnd (lam * h) + x).
Definition fused lam h x := rnd (lam * h + x).

(* one step keeps the invariant |H| <= 256, |h - H| <= E; H is the exact state, h the computed one *)
Definition keeps (step : R -> R -> R -> R) := forall lam h x H,
  binary32 lam -> binary32 h -> binary32 x -> Rabs lam <= 255/256 -> Rabs x <= 1 -> Rabs H <= 256 -> Rabs (h - H) <= E ->
  binary32 (step lam h x) /\ Rabs (lam * H + x) <= 256 /\ Rabs (step lam h x - (lam * H + x)) <= E.

(* Gappa takes a number for binary32 when it is written as rounded *)
Ltac one_step := unfold keeps, binary32, E; intros lam h x H el eh ex l1 x1 H1 e1;
  split; [apply rnd_binary32 | unfold rnd in *;
  rewrite <- el, <- ex; rewrite <- eh in e1 |- *; rewrite <- el in l1; rewrite <- ex in x1; split; gappa].

Lemma separate_keeps : keeps separate.
Proof. unfold separate; one_step. Qed.

Lemma fused_keeps : keeps fused.
Proof. unfold fused; one_step. Qed.

Definition inputs (lam x : nat -> R) :=
  forall t, binary32 (lam t) /\ binary32 (x t) /\ Rabs (lam t) <= 255/256 /\ Rabs (x t) <= 1.

Lemma every_T step lam x : keeps step -> inputs lam x -> forall t,
  binary32 (computed step lam x t) /\ Rabs (exact lam x t) <= 256 /\ Rabs (computed step lam x t - exact lam x t) <= E.
Proof.
intros step_keeps given; induction t as [|t (h32 & H1 & e1)]; simpl.
- split; [exact zero_binary32 | unfold E; rewrite Rminus_0_r, Rabs_R0; lra].
- destruct (given t) as (lam32 & x32 & lam1 & x1); now apply step_keeps.
Qed.

Theorem real_separate lam x : inputs lam x -> forall t, Rabs (computed separate lam x t - exact lam x t) <= E.
Proof. intros given t; apply (every_T separate); [exact separate_keeps | exact given]. Qed.

Theorem real_fused lam x : inputs lam x -> forall t, Rabs (computed fused lam x t - exact lam x t) <= E.
Proof. intros given t; apply (every_T fused); [exact fused_keeps | exact given]. Qed.
