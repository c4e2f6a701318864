(* The size of a state with every rounding and loss against us, in closed form, any bracketing.

   In words (top_bound), y >= 0 a later factor whose products with the segments that end at the last step are <= c:
     top t y <= V^depth (1 + store)^stores (Y y + K^m c (W^(m-1) losses - total)),      W = 1 + loss G,
     losses = total + products loss + sums flush + writes store_loss.
   What later multipliers lose acts on an earlier state as a factor with c (W^(n-1) - 1) for c, so losses multiply up in W.
   Source: docs/theorem.md, "Underflow". In Python: reference/allowance/rounding.py `_bracketing`. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From Scanproof Require Import BoundNear BoundTree BoundMultiplier BoundState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* equal sides *)
Ltac equal := rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.

Section Top.
Variables (R : numDomainType) (K V loss flush store store_loss G : R).
Hypotheses (K1 : 1 <= K) (V1 : 1 <= V) (loss0 : 0 <= loss) (flush0 : 0 <= flush).
Hypotheses (store0 : 0 <= store) (store_loss0 : 0 <= store_loss).
Implicit Types (t l q : tree R) (s p : seq (leaf R)) (y c : R).
Notation gain := (gain loss).
Notation W := (W loss G).
Notation lost := (lost loss).
Notation top := (top K V loss flush store store_loss).
Notation losses := (losses loss flush store_loss).
Notation Y := (Y K).
Let K0 : 0 <= K := le_trans ler01 K1.
Let V0 : 0 <= V := le_trans ler01 V1.
(* growth along one path: additions, and stores *)
Definition amp d e := V ^+ d * (1 + store) ^+ e.
Lemma amp0 d e : 0 <= amp d e. Proof. by rewrite mulr_ge0 // exprn_ge0 // addr_ge0. Qed.
Lemma amp1 d e : 1 <= amp d e. Proof. by rewrite mulr_ege1 // exprn_ege1 // ler_addl. Qed.
Let Kn0 k : 0 <= K ^+ k. Proof. by rewrite exprn_ge0. Qed.

Lemma Y_total t y c : 0 <= y -> right (steps t) y c -> Y (steps t) * y <= K ^+ since t * c * total t.
Proof.
elim: t y c => [z|l IHl q IHq a b|//] y c y0 rt.
  rewrite /Y /scan /= mulr0 add0r expr0 mul1r mulrC ler_wpmul2r ?size_drive_ge0 //; exact: right_le rt.
have c0 := le_trans y0 (right_le rt); have hq := IHq y c y0 (right_r rt).
rewrite /= Y_node -/(hard q) mulrDl; case: (boolP (carried l q)) => cr; last first.
  by rewrite Y_cut // ?mul0r ?add0r // => D; have [] := not_live K V loss flush store store_loss D.
have := IHl _ _ (mulr_ge0 (power_ge0 _) y0) (right_l rt) => hl; rewrite mulrDr ler_add //; last first.
  rewrite (le_trans hq) // ler_wpmul2r ?total_ge0 // ler_wpmul2r // ler_weexpn2l // ltnW //.
  by rewrite (leq_trans (since_lt q)) // leq_addl.
have -> : K ^+ hard q * power (steps q) * Y (steps l) * y = K ^+ hard q * (Y (steps l) * (power (steps q) * y)) by ring.
have -> : K ^+ (since l + n q) * c * total l = K ^+ n q * (K ^+ since l * c * total l) by rewrite exprD; ring.
apply: ler_pmul; rewrite ?Kn0 //; first by rewrite !mulr_ge0 ?Y_ge0 ?power_ge0.
by rewrite ler_weexpn2l // hard_le.
Qed.

(* an earlier state times the later multiplier, as it is read, rounded and lost *)
Definition claim t := forall y c, 0 <= y -> 0 <= c -> right (steps t) y c ->
  top t * y <= amp (depth t) (stores t) * (Y (steps t) * y + K ^+ since t * c * (W ^+ (since t).-1 * losses t - total t)).

Lemma carry l q a b y c : claim l -> segments G (steps (Node l q a b)) -> 0 <= y -> 0 <= c ->
  right (steps (Node l q a b)) y c ->
  K ^+ hard q * gain q * top l * y <=
  amp (depth l) (stores l) * (K ^+ hard q * power (steps q) * Y (steps l) * y +
    K ^+ (since l + n q) * c * (W ^+ (since l + n q).-1 * losses l - total l)).
Proof.
move=> IH seg y0 c0 rt; set m := (since l + n q)%N; have w1 := W1 loss0 seg; have Bq := multiplier_bound loss0 (segments_r seg).
have e1 : 1 <= W ^+ (n q).-1 by rewrite exprn_ege1.
have e0 : 0 <= c * (W ^+ (n q).-1 - 1) by rewrite mulr_ge0 // subr_ge0.
have rl := right_lost Bq y0 c0 seg rt; have y1 : 0 <= lost q * y by rewrite mulr_ge0 ?lost_ge0.
have h1 := IH _ _ (mulr_ge0 (power_ge0 (steps q)) y0) c0 (right_l rt).
have h2 := IH _ _ y1 e0 rl; have h3 := Y_total y1 rl.
set w := W ^+ (since l).-1 in h1 h2; set e := W ^+ (n q).-1 in e1 e0 h2 h3.
have wm : w * e <= W ^+ m.-1.
  rewrite -exprD ler_weexpn2l // /m -(prednK (n_gt0 q)) addnS /= leq_add2r leq_pred //.
have D0 : 0 <= w * e * losses l - total l.
  rewrite subr_ge0 (le_trans (total_losses loss0 flush0 store_loss0 l)) // -[X in X <= _]mul1r ler_wpmul2r //.
    by rewrite (le_trans (total_ge0 l)) // total_losses.
  by rewrite mulr_ege1 // exprn_ege1.
have step : top l * (power (steps q) * y) + top l * (lost q * y) <=
  amp (depth l) (stores l) * (Y (steps l) * (power (steps q) * y) + K ^+ since l * c * (w * e * losses l - total l)).
  apply: le_trans (ler_add h1 h2) _; rewrite -mulrDr ler_wpmul2l ?amp0 //.
  rewrite addrACA -mulrDr -subr_ge0; rewrite -subr_ge0 in h3.
  move: h3; move: (K ^+ _) (losses l) (total l) (lost q * y) (Y _) (power _ * y) => k L T z Yl p h3.
  have -> : Yl * p + k * c * (w * e * L - T) - (Yl * (p + z) + (k * c * (w * L - T) + k * (c * (e - 1)) * (w * L - T))) =
    k * (c * (e - 1)) * T - Yl * z by ring.
  exact: h3.
have -> : K ^+ hard q * gain q * top l * y = K ^+ hard q * (top l * (power (steps q) * y) + top l * (lost q * y)).
  by rewrite /BoundMultiplier.lost; ring.
apply: le_trans (ler_wpmul2l (Kn0 _) step) _; rewrite mulrCA ler_wpmul2l ?amp0 // [X in X <= _]mulrDr; apply: ler_add.
  by rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
have -> : K ^+ hard q * (K ^+ since l * c * (w * e * losses l - total l)) =
  K ^+ (hard q + since l) * c * (w * e * losses l - total l) by rewrite exprD; ring.
apply: ler_pmul => //; first by rewrite mulr_ge0.
  by rewrite ler_wpmul2r // ler_weexpn2l // addnC leq_add2l hard_le.
by rewrite ler_add2r ler_wpmul2r // (le_trans (total_ge0 l)) // total_losses.
Qed.

Lemma grow d d' e e' m m' A c T L : (d <= d')%N -> (e <= e')%N -> (m <= m')%N -> 1 <= W -> 0 <= A -> 0 <= c -> 0 <= T -> T <= L ->
  amp d e * (A + K ^+ m * c * (W ^+ m.-1 * L - T)) <= amp d' e' * (A + K ^+ m' * c * (W ^+ m'.-1 * L - T)).
Proof.
move=> dd ee mm w1 A0 c0 T0 TL; have L0 := le_trans T0 TL.
have D k : 0 <= W ^+ k * L - T by rewrite subr_ge0 (le_trans TL) // -[X in X <= _]mul1r ler_wpmul2r // exprn_ege1.
apply: ler_pmul; rewrite ?amp0 //; first by rewrite addr_ge0 // !mulr_ge0.
  by rewrite /amp ler_pmul ?exprn_ge0 ?addr_ge0 // ler_weexpn2l // ler_addl.
rewrite ler_add2l; apply: ler_pmul; rewrite ?mulr_ge0 //; first by rewrite ler_wpmul2r // ler_weexpn2l.
by rewrite ler_add2r ler_wpmul2r // ler_weexpn2l //; case: m m' mm => [|m] [|m'].
Qed.

Lemma absorbed e y c d d2 m : 0 <= e -> 0 <= y -> y <= c -> 1 <= W -> e * y <= amp d d2 * (K ^+ m * c * (W ^+ m.-1 * e)).
Proof.
move=> e0 y0 yc w1; have c0 := le_trans y0 yc.
have -> : amp d d2 * (K ^+ m * c * (W ^+ m.-1 * e)) = (amp d d2 * K ^+ m * W ^+ m.-1) * (e * c) by move: (amp _ _) => v; ring.
rewrite -[X in X <= _]mul1r; apply: ler_pmul; rewrite ?mulr_ge0 // ?ler_wpmul2l //.
by apply: mulr_ege1; [apply: mulr_ege1; [exact: amp1|]|]; rewrite exprn_ege1.
Qed.

Let flush_of q : 0 <= if is_leaf q then flush else 0. Proof. by case: ifP. Qed.

Lemma claim_store t h : claim t -> segments G (steps t) -> claim (Store t h).
Proof.
move=> IH seg y c y0 c0 rt; have w1 := W1 loss0 seg; have ht := IH y c y0 c0 rt.
have TL := total_losses loss0 flush0 store_loss0 (Store t h); have L0 := le_trans (total_ge0 (Store t h)) TL.
have D : 0 <= Y (steps t) * y + K ^+ since t * c * (W ^+ (since t).-1 * losses (Store t h) - total t).
  rewrite addr_ge0 ?mulr_ge0 ?Y_ge0 // subr_ge0 (le_trans TL) // -[X in X <= _]mul1r ler_wpmul2r // exprn_ege1 //.
move: D; rewrite /losses /=; case: (boolP (live t)) => lt D; last by rewrite mul0r mulr_ge0 ?amp0.
have h1 := absorbed (depth t) (stores t).+1 (since t) store_loss0 y0 (right_le rt) w1.
have h2 := ler_wpmul2l (addr_ge0 ler01 store0) ht.
apply: (le_trans (le_trans _ (ler_add h2 h1))); [equal|rewrite /losses add1n mulrS /amp exprS].
by move: (loss *+ _) (flush *+ _) (store_loss *+ _) => x1 x2 x3; equal.
Qed.

Theorem top_bound t : segments G (steps t) -> claim t.
Proof.
elim: t => [z|l IHl q IHq a b|t IH h] seg y c y0 c0 rt.
3: exact: (claim_store (IH seg) seg).
  by rewrite /Y /scan /= mulr0 add0r /amp !expr0 !mul1r /losses /= !mulr0n !addr0 subrr mulr0 addr0.
have w1 := W1 loss0 seg; have yc := right_le rt.
have hc := carry (IHl (segments_l seg)) seg y0 c0 rt; have hq := IHq (segments_r seg) y c y0 c0 (right_r rt).
have mq : (since q <= since l + n q)%N by rewrite (leq_trans (ltnW (since_lt q))) // leq_addl.
have TLl := total_losses loss0 flush0 store_loss0 l; have TLq := total_losses loss0 flush0 store_loss0 q.
have [Tl Tq] := (total_ge0 l, total_ge0 q).
have Yq : 0 <= Y (steps q) * y by rewrite mulr_ge0 ?Y_ge0.
have A0 : 0 <= K ^+ hard q * power (steps q) * Y (steps l) * y by rewrite !mulr_ge0 ?Y_ge0 ?power_ge0.
rewrite /losses /= Y_node -/(hard q) mulrDl /chosen; case: (boolP (carried l q)) => cr; case: (boolP (live q)) => lq.
- have h1 := le_trans hc (grow (leq_maxl (depth l) (depth q)) (leq_maxl (stores l) (stores q)) (leqnn _) w1 A0 c0 Tl TLl).
  have h2 := le_trans hq (grow (leq_maxr (depth l) (depth q)) (leq_maxr (stores l) (stores q)) mq w1 Yq c0 Tq TLq).
  have h3 := absorbed (maxn (depth l) (depth q)) (maxn (stores l) (stores q)) (since l + n q) loss0 y0 yc w1.
  have h4 := absorbed (maxn (depth l) (depth q)).+1 (maxn (stores l) (stores q)) (since l + n q) flush0 y0 yc w1.
  have h := ler_add (ler_wpmul2l V0 (ler_add (ler_add h1 h3) h2)) h4.
  apply: (le_trans (le_trans _ h)); [equal|rewrite /losses !mulrS !mulrnDr /amp exprS].
  by move: (loss *+ _) (loss *+ _) (flush *+ _) (flush *+ _) (store_loss *+ _) (store_loss *+ _) => x1 x2 x3 x4 x5 x6; equal.
- have [tq tot yq] := not_live K V loss flush store store_loss lq.
  have h := ler_add (ler_add hc (absorbed (depth l) (stores l) (since l + n q) loss0 y0 yc w1)) (absorbed (depth l) (stores l)
    (since l + n q) flush0 y0 yc w1).
  apply: (le_trans (le_trans _ h)); [equal|rewrite yq tot mul0r !addr0 /losses !mulrS].
  by move: (loss *+ _) (flush *+ _) (store_loss *+ _) (amp _ _) => x1 x2 x3 v; equal.
- rewrite (Y_cut) ?mul0r ?add0r // => [|D]; last by have [] := not_live K V loss flush store store_loss D.
  have h := ler_add hq (absorbed (depth q) (stores q) (since q) (flush_of q) y0 yc w1); rewrite -mulrDl in h.
  apply: (le_trans h); rewrite /losses mulrnDr; case: (is_leaf q); rewrite ?mulr1n ?mulr0n ?add0r;
    move: (loss *+ _) (flush *+ _) (store_loss *+ _) (amp _ _) => x1 x2 x3 v; equal.
have [_ tot _] := not_live K V loss flush store store_loss lq; have [_ _ ->] := not_live K V loss flush store store_loss lq.
rewrite (Y_cut) // => [|D]; last by have [] := not_live K V loss flush store store_loss D.
by rewrite tot !mul0r !addr0 mulr0 subr0 mulr0 addr0 mulr0.
Qed.
End Top.
