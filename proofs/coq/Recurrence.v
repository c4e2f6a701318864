(* The rounding theorem of the sequential order: every state is formed, so that roundings act on |h_t|, which the truth knows.

   In words: in each step a product p' of what is read, a sum s' and perhaps a rounding h' of it to a narrower format; k = 1 +
   beta, or 1 where lam_t does not round; N_t >= |h_t|; xi = u if both operands of the sum may differ from zero, else 0:
     E = (1 + xi)[(A + dA) k E + (dA k + A (k - 1)) N_{t-1} + dX + loss] + xi N_t + flush
   in a contracted complex step (`whole`, xi = (1 + u)^2 - 1), whose roundings of the products are within beta,
     E = (A + dA) k E + (dA k + A (k - 1)) N_{t-1} + dX + xi (|b| + dX) + (1 + xi) loss + flush
   and where every state is stored with errors store |h| + store_loss, (1 + store) E + store N_t + store_loss. loss only where
   an operand of the product is not zero, flush where one of the sum is not. Then |h'_t - h_t| <= E_t.
   Relies on it: reference/allowance/rounding.py `_sequential` (each line of the recurrence is one of `error`). Only tested: loss = 0
   where the factor is a unit (`loses`), operand_loss, and the evaluation in float64. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From Scanproof Require Import BoundNear BoundTree BoundMultiplier.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Sequential.
Variables (R : numDomainType) (beta u loss flush store store_loss : R).
Hypotheses (beta0 : 0 <= beta) (u0 : 0 <= u) (loss0 : 0 <= loss) (flush0 : 0 <= flush).
Hypotheses (store0 : 0 <= store) (store_loss0 : 0 <= store_loss).

(* one step of an evaluation: what is read, N_t, whether it is contracted, and what was computed *)
Record record := Record { read : leaf R; now : R; whole : bool; product : R; sum : R; stored : R }.
Definition carried (n : nat) x := (0 < n)%N && ~~ @stops R x.
Definition count (n : nat) (x : leaf R) := ((if stops x then 0 else n) + some x)%N.
Definition k (x : leaf R) := rate (1 + beta) (rounds x).
Definition xi n r := if carried n (read r) && some (read r) then if whole r then (1 + u) ^+ 2 - 1 else u else 0.
Definition flushed n x := if (0 < count n x)%N then flush else 0.

Definition error n before E r := let x := read r in let A := `|lam x| in let dA := dlam x in
  let source := (dA * k x + A * (k x - 1)) * before + ddrive x in let gain := (A + dA) * k x in
  let found := if carried n x && whole r
    then gain * E + source + xi n r * (`|drive x| + ddrive x) + (1 + xi n r) * loss + flush
    else (1 + xi n r) * (gain * E + source + (if carried n x then loss else 0)) + xi n r * now r + flushed n x in
  (1 + store) * found + (if (0 < count n x)%N then store * now r + store_loss else 0).

Definition honest_step n h' r := let x := read r in
  [&& `|lam_read x - lam x| <= dlam x, `|drive_read x - drive x| <= ddrive x,
      `|stored r - sum r| <= (if (0 < count n x)%N then store * `|sum r| + store_loss else 0) &
      if carried n x && whole r
      then `|sum r - (lam_read x * h' + drive_read x)| <=
           (k x - 1) * `|lam_read x * h'| + xi n r * `|drive_read x| + ((1 + xi n r) * loss + flush)
      else (if carried n x then `|product r - lam_read x * h'| <= (k x - 1) * `|lam_read x * h'| + loss else product r == 0) &&
           (`|sum r - (product r + drive_read x)| <= xi n r * `|product r + drive_read x| + flushed n x)].

Fixpoint honest n h' rs := if rs is r :: rs then honest_step n h' r && honest (count n (read r)) (stored r) rs else true.
Fixpoint exact h rs := if rs is r :: rs then exact (lam (read r) * h + drive (read r)) rs else h.
Fixpoint computed h' rs := if rs is r :: rs then computed (stored r) rs else h'.
Fixpoint bound n before E rs := if rs is r :: rs then bound (count n (read r)) (now r) (error n before E r) rs else E.
Fixpoint known h rs := if rs is r :: rs then let h := lam (read r) * h + drive (read r) in (`|h| <= now r) && known h rs else
  true.

Lemma near_of (h' h E N : R) : `|h' - h| <= E -> `|h| <= N -> near h' h (N + E) N.
Proof. by move=> hE hN; rewrite /near hN andbT addrAC subrr add0r. Qed.
Lemma of_near (h' h N' N E : R) : near h' h N' N -> N' = N + E -> `|h' - h| <= E.
Proof. by case/andP=> h1 _ e; move: h1; rewrite e addrAC subrr add0r. Qed.
Lemma k1 x : 1 <= k x. Proof. by rewrite rate_ge1 // ler_addl. Qed.
Lemma xi0 n r : 0 <= xi n r.
Proof. by rewrite /xi; case: ifP => // _; case: ifP => // _; rewrite subr_ge0 exprn_ege1 // ler_addl. Qed.

(* n = 0: the states are exactly zero *)
Lemma error_step n before E h' h r : (n = 0%N -> h' = 0 /\ h = 0) -> honest_step n h' r -> `|h' - h| <= E -> `|h| <= before ->
  `|lam (read r) * h + drive (read r)| <= now r ->
  `|stored r - (lam (read r) * h + drive (read r))| <= error n before E r.
Proof.
rewrite /honest_step /error; set x := read r => zero /and4P[hl hb hs hr] hE hN hnow.
have p := near_prod (near_read hl) (near_of hE hN); have kx := k1 x; have x0 := xi0 n r.
set e := (if _ && _ then _ else _ in X in _ <= (1 + store) * X + _).
have near_sum' : `|sum r - (lam x * h + drive x)| <= e.
  rewrite /e; move: hr; case: ifP => _ hr.
    have := near_step (d1 := k x - 1) (d2 := xi n r) _ x0 hr p (near_read hb); rewrite subr_ge0 => /(_ kx) q.
    by apply: (of_near q); ring.
  case/andP: hr => hp hr.
  have q : `|product r + drive_read x - (lam x * h + drive x)| <=
      (`|lam x| + dlam x) * k x * E + ((dlam x * k x + `|lam x| * (k x - 1)) * before + ddrive x) + (if carried n x then loss
        else 0).
    move: hp; case: (boolP (carried n x)) => [_|c] hp.
      have q := near_round (d := k x - 1) _ hp p; rewrite subr_ge0 in q.
      by apply: (of_near (near_sum (q kx) (near_read hb))); ring.
    have z : lam x * h = 0.
      move: c; rewrite negb_and negbK -leqNgt leqn0 => /orP[/eqP /zero [_ ->]|/stops_lam ->]; by rewrite ?mulr0 ?mul0r.
    rewrite (eqP hp) z !add0r addr0 (le_trans hb) // -[X in X <= _]add0r addrA ler_add2r.
    have E0 := le_trans (normr_ge0 _) hE; have b0 := le_trans (normr_ge0 _) hN.
    have k0 : 0 <= k x - 1 by rewrite subr_ge0. have kk := le_trans ler01 kx.
    by apply: addr_ge0; rewrite !mulr_ge0 ?size_lam_ge0 // addr_ge0 ?mulr_ge0 ?dlam_ge0.
  have q2 := near_round x0 hr (near_of q hnow); apply: (of_near q2); ring.
have e0 := le_trans (normr_ge0 _) near_sum'; move: hs; case: (boolP (0 < count n x)%N) => c hs.
  by apply: (of_near (near_round store0 hs (near_of near_sum' hnow))); ring.
have E' : stored r = sum r by move: hs; rewrite normr_le0 subr_eq0 => /eqP.
by rewrite E' addr0 (le_trans near_sum') // -[X in X <= _]mul1r ler_wpmul2r // ler_addl.
Qed.

Theorem sequential rs n before E h' h : (n = 0%N -> h' = 0 /\ h = 0) -> honest n h' rs -> known h rs ->
  `|h' - h| <= E -> `|h| <= before -> `|computed h' rs - exact h rs| <= bound n before E rs.
Proof.
elim: rs n before E h' h => //= r rs IH n before E h' h zero /andP[hr hrs] /andP[hn kn] hE hN.
apply: (IH _ (now r)) => //; last exact: (error_step zero hr hE hN hn).
move: hr; rewrite /honest_step /flushed /count; set x := read r => /and4P[_ _ hs hr] c0.
move: hs hr; rewrite c0 ltnn; move/eqP: c0; rewrite addn_eq0 eqb0 negbK => /andP[st /and3P[/eqP b0 /eqP b1 _]].
have c : carried n x = false by rewrite /carried; move: st; case: (stops x) => [_|/eqP ->]; rewrite ?andbF.
have z : lam x * h = 0.
  by move: c; rewrite /carried; case: (posnP n) => [/zero [_ ->]|_ /negbFE /stops_lam ->]; rewrite ?mulr0 ?mul0r.
rewrite c /= b0 b1 z !addr0 => hs /andP[/eqP ->]; rewrite normr0 mulr0 subr0 normr_le0 => /eqP s0.
by move: hs; rewrite s0 subr0 normr_le0 => /eqP.
Qed.
End Sequential.
