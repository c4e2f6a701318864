(* Second moments of the state under white inputs, for every size, rotation and t: no measure theory, expectations enter as the
   moment matrix Sigma_t = E[x_t x_t^T], which whiteness takes to g^2 A Sigma_t A^T + xi^2 B B^T.
   Source: RotRNN, arXiv 2407.07239; Orvieto et al., LRU, arXiv 2303.06349.
   In Python: proofs/systems/state_norm.py, proofs/systems/lru.py, proofs/engine/moments.py. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Scanproof Require Import Rotation Norm.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* the closed form that both layers use: rate = g^2 of RotRNN, |lam|^2 of an LRU channel *)
Theorem moment_closed (R : comRingType) (rate fixed : R) (q : nat -> R) :
  (forall t, q t.+1 = rate * q t + (1 - rate) * fixed) ->
  forall t, q t = fixed + rate ^+ t * (q 0%N - fixed).
Proof.
move=> qS; elim=> [|t IH]; first by rewrite mul1r addrC subrK.
by rewrite qS IH mulrDr mulrA -exprS mulrBl mul1r addrC addrA subrK.
Qed.

Theorem moment_fixed (R : fieldType) (rate fixed q : R) :
  rate != 1 -> q = rate * q + (1 - rate) * fixed -> q = fixed.
Proof.
move=> far /eqP; rewrite -subr_eq0 opprD addrA -{1}(mul1r q) -mulrBl -mulrBr mulf_eq0 subr_eq0.
by rewrite eq_sym (negPf far) subr_eq0 => /eqP.
Qed.

Section Moments.
Variables (R : comUnitRingType) (n w : nat) (A : 'M[R]_n) (B : 'M[R]_(n, w)) (g xi : R).
Hypothesis rotation : orthogonal A.

Theorem trace_step (Sigma : 'M[R]_n) :
  \tr (g ^+ 2 *: (A *m Sigma *m A^T) + xi ^+ 2 *: (B *m B^T)) = g ^+ 2 * \tr Sigma + xi ^+ 2 * \tr (B^T *m B).
Proof. by rewrite mxtraceD !mxtraceZ mxtrace_mulC mulmxA rotation mul1mx (mxtrace_mulC B). Qed.

(* E|x_t|^2 = tr Sigma_t; xi is chosen so that xi^2 tr(B^T B) = 1 - g^2 *)
Theorem expected_state_norm (Sigma : nat -> 'M[R]_n) :
  Sigma 0%N = 0 -> xi ^+ 2 * \tr (B^T *m B) = 1 - g ^+ 2 ->
  (forall t, Sigma t.+1 = g ^+ 2 *: (A *m Sigma t *m A^T) + xi ^+ 2 *: (B *m B^T)) ->
  forall t, \tr (Sigma t) = 1 - g ^+ (2 * t).
Proof.
move=> S0 gain step t; rewrite (@moment_closed _ (g ^+ 2) 1 (fun t => \tr (Sigma t))).
  by rewrite S0 mxtrace0 sub0r mulrN1 exprM.
by move=> k; rewrite step trace_step gain mulr1.
Qed.
End Moments.

(* not white: one input c repeated, A = I; then (1 - g)^2 |x_t|^2 = (1 - g^t)^2 |c|^2, which tends to |c|^2, while white
   inputs give (1 - g)^2 E|x_t|^2 = (1 - g)^2 (1 - g^(2t)) |c|^2 / (1 - g^2) *)
Theorem repeated_input (R : comRingType) n (g : R) (c : 'cV[R]_n) (x : nat -> 'cV[R]_n) :
  x 0%N = 0 -> (forall t, x t.+1 = g *: x t + c) ->
  forall t, (1 - g) ^+ 2 * square (x t) = (1 - g ^+ t) ^+ 2 * square c.
Proof.
move=> x0 xS t; rewrite -!square_scale; congr square.
elim: t => [|t IH]; first by rewrite x0 subrr scale0r scaler0.
rewrite xS scalerDr scalerA [_ * g]mulrC -scalerA IH scalerA -scalerDl; congr (_ *: _).
by rewrite mulrBr mulr1 -exprS addrC addrA subrK.
Qed.
