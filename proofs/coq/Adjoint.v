(* The backward recurrence a_t = A_{t+1}^T a_{t+1} + g_t is the gradient of the scan, for every T and n.
   For perturbations d_t of the states, driven by s_t = dA_t h_(t-1) + db_t (and dh_0 at t = 0):
       sum_t <g_t, d_t> = sum_t <a_t, s_t>,   <a_t, dA_t h_(t-1)> = tr((a_t h_(t-1)^T)^T dA_t)
   so dL/db_t = a_t and dL/dA_t = a_t h_(t-1)^T.
   Source: reverse accumulation (Griewank and Walther, Evaluating Derivatives, 2008) on the linear recurrence.
   In Python: proofs/scan/adjoint.py; the gradients of reference/ rest on it. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Scanproof Require Import Rotation Norm.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Adjoint.
Variables (R : comRingType) (n T : nat) (A : nat -> 'M[R]_n) (s g d a : nat -> 'cV[R]_n).
Hypotheses (d0 : d 0%N = s 0%N) (dS : forall t, d t.+1 = A t.+1 *m d t + s t.+1).
Hypotheses (aT : a T = g T) (aS : forall t, (t < T)%N -> a t = (A t.+1)^T *m a t.+1 + g t).

(* up to t the sources are accounted for by the steps before t and by what a_t still carries *)
Lemma adjoint_until t : (t <= T)%N ->
  \sum_(0 <= i < t) inner (g i) (d i) + inner (a t) (d t) = \sum_(0 <= i < t.+1) inner (a i) (s i).
Proof.
elim: t => [|t IH] tT; first by rewrite big_nil add0r big_nat1 d0.
rewrite [RHS]big_nat_recr //= -IH ?(ltnW tT) // big_nat_recr //= -!addrA; congr (_ + _).
by rewrite dS inner_addr (aS tT) inner_addl inner_tr addrCA addrA.
Qed.

Theorem adjoint : \sum_(0 <= i < T.+1) inner (g i) (d i) = \sum_(0 <= i < T.+1) inner (a i) (s i).
Proof. by rewrite -adjoint_until // big_nat_recr //= aT. Qed.
End Adjoint.

Theorem gradient_of_matrix (R : comRingType) n (dA : 'M[R]_n) (a h : 'cV[R]_n) :
  inner a (dA *m h) = \tr ((a *m h^T)^T *m dA).
Proof. by rewrite trmx_mul trmxK -mulmxA mxtrace_mulC /inner mulmxA [RHS]big_ord1. Qed.

(* the perturbation of a step is linear up to a product of two perturbations *)
Theorem perturbed_step (R : comRingType) n (A dA : 'M[R]_n) (h dh b db : 'cV[R]_n) :
  (A + dA) *m (h + dh) + (b + db) - (A *m h + b) = (A *m dh + (dA *m h + db)) + dA *m dh.
Proof.
apply/eqP; rewrite subr_eq; apply/eqP; rewrite mulmxDl !mulmxDr.
by rewrite (AC ((2*2)*2) ((2*(3*6))*4*(1*5))).
Qed.
