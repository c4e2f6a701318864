(* One state of finite precision on a constant input. With a >= 0 the step h -> fl(fl(a h) + b) is monotone, and the state stops
   changing: it cannot tell even from odd lengths (1, 11, 111, ...). With a < 0 it ends in a cycle of length 1 or 2: it cannot
   count modulo 3 or more. With a = -1 it does tell even from odd.
   The state is any finite ordered set, the step any monotone (antitone) map of it: rounding to nearest, truncation and
   saturation are monotone maps.
   Source: Grazzi et al., arXiv 2411.12537, Theorem 1 and Theorem 2, here for one layer with a scalar state. *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope order_scope.

Section Upwards.
Variables (d : unit) (T : finPOrderType d) (f : T -> T) (x : T).
Hypotheses (mono : {homo f : a b / a <= b}) (up : x <= f x).

Lemma chain_step k : iter k f x <= iter k.+1 f x.
Proof. by elim: k => //= k; apply: mono. Qed.

Lemma chain i j : (i <= j)%N -> iter i f x <= iter j f x.
Proof.
move=> /subnK <-; elim: (j - i)%N => // k IH.
exact: le_trans IH (chain_step _).
Qed.

(* a chain in a finite set returns to an earlier element, and what lies between must be equal *)
Lemma chain_stops : exists k, forall m, iter (m + k) f x = iter k f x.
Proof.
have /loopingP/(_ (fingraph.order f x)) := looping_order f x.
case/trajectP => k before same; exists k.
have fixed : f (iter k f x) = iter k f x.
  by apply/le_anti; rewrite (chain_step k) andbT -{2}same (chain (i := k.+1)).
by elim=> //= m ->.
Qed.
End Upwards.

Section State.
Variables (d : unit) (T : finOrderType d).
Implicit Types (f : T -> T) (x : T).

Theorem monotone_stops f x : {homo f : a b / a <= b} -> exists k, forall m, iter (m + k) f x = iter k f x.
Proof.
move=> mono; case/orP: (le_total x (f x)) => [up|down]; first exact: chain_stops.
by apply: (@chain_stops _ [finPOrderType of T^d] f x) => // a b ab; apply: mono.
Qed.

(* no read-out of the state tells the parity of the number of steps *)
Theorem no_parity f x (read : T -> bool) : {homo f : a b / a <= b} -> ~ (forall k, read (iter k f x) = odd k).
Proof.
move=> /(monotone_stops x) [k stop] reads.
by have := reads k.+1; rewrite -add1n stop reads add1n /=; case: (odd k).
Qed.

Theorem antitone_period_two f x : {homo f : a b / a <= b >-> b <= a} ->
  exists k, forall m, iter (2 * m + k) f x = iter k f x.
Proof.
move=> anti; have twice : {homo iter 2 f : a b / a <= b} by move=> a b ab; apply/anti/anti.
have [k stop] := monotone_stops x twice; exists (2 * k)%N => m.
by rewrite -mulnDr ![(2 * _)%N]mulnC !iterM stop.
Qed.
End State.

Theorem minus_one_tells_parity (R : numDomainType) k : (iter k -%R 1 == -1 :> R)%R = odd k.
Proof.
have -> : (iter k -%R 1 = (-1) ^+ k :> R)%R by elim: k => //= k ->; rewrite exprS mulN1r.
by rewrite -signr_odd; case: (odd k); rewrite ?expr1 ?eqxx // expr0 eq_sym eqNr oner_eq0.
Qed.
