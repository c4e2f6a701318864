(* Rounding to nearest, ties to even, in binary32 with gradual underflow and without overflow; which reals are binary32 numbers.
   Source: IEEE 754-2019; Boldo and Melquiond, Flocq. Used by RoundingReal.v and RoundingComplex.v. *)
From Coq Require Import Reals.
From Flocq Require Import Core.
Open Scope R_scope.

Definition rnd := round radix2 (FLT_exp (-149) 24) ZnearestE.
Definition binary32 x := rnd x = x.

Lemma rnd_binary32 x : binary32 (rnd x).
Proof.
apply round_generic; [apply valid_rnd_N|].
apply generic_format_round; [now apply FLT_exp_valid | apply valid_rnd_N].
Qed.

Lemma zero_binary32 : binary32 0.
Proof. apply round_0, valid_rnd_N. Qed.

Lemma opp_binary32 x : binary32 x -> binary32 (- x).
Proof. unfold binary32, rnd; intros h; now rewrite round_NE_opp, h. Qed.
