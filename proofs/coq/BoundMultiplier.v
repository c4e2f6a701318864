(* Underflow in products of multipliers, any bracketing.

   In words: let `gain t` be the product of |lam| that are read, with a loss added at every product of the tree. It exceeds the
   true product `power` by what losses leave: a lost product cuts the chain of factors into segments, each of size <= G.
   Multiplied by a number x from the left and y from the right, whose products with the segments it meets stay <= G and <= c,
     x (gain t - power) y <= c ((1 + loss G)^(n - 1) - 1),        n steps, hence n - 1 products.
   Source: docs/theorem.md, "Underflow" (w = (1 + l G^2)^(m-1) - 1 there is larger, BoundTheorem.v).
   In Python: reference/allowance/rounding.py `_bracketing`, the term w. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From Scanproof Require Import BoundNear BoundTree.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Multiplier.
Variables (R : numDomainType) (K loss G : R).
Hypotheses (K1 : 1 <= K) (loss0 : 0 <= loss).
Let K0 : 0 <= K := le_trans ler01 K1.
Implicit Types (t l q : tree R) (s p r : seq (leaf R)) (x y c : R).

Fixpoint gain t := match t with Leaf x => size_lam x | Node l q _ _ => gain q * gain l + loss | Store t _ => gain t end.
Definition hard t := count (@rounds R) (steps t).
Definition n t := size (steps t).

Lemma size_lam_ge0 z : 0 <= @size_lam R z. Proof. by rewrite addr_ge0 ?dlam_ge0. Qed.
Lemma power_ge0 s : 0 <= power s. Proof. by apply: prodr_ge0 => z _; apply: size_lam_ge0. Qed.
Lemma power_cat s p : power (s ++ p) = power p * power s. Proof. by rewrite /power big_cat mulrC. Qed.
Lemma gain_ge0 t : 0 <= gain t. Proof. by elim: t => [z|l ? q ? ? ?|//] /=; [apply: size_lam_ge0 | pos]. Qed.
Lemma gain_power t : power (steps t) <= gain t.
Proof.
elim: t => [z|l IHl q IHq a b|//] /=; first by rewrite /power big_seq1.
by rewrite power_cat -[X in X <= _]addr0 ler_add // ler_pmul ?power_ge0.
Qed.
Lemma n_gt0 t : (0 < n t)%N.
Proof. by elim: t => // l h q _ a b; rewrite /n /= size_cat addn_gt0 h. Qed.
Lemma hard_le t : (hard t <= n t)%N. Proof. exact: count_size. Qed.
Lemma hard_node l q a b : hard (Node l q a b) = (hard l + hard q)%N. Proof. exact: count_cat. Qed.
Lemma n_node l q a b : n (Node l q a b) = (n l + n q)%N. Proof. exact: size_cat. Qed.

(* rates of products count once per step that rounds, less one *)
Lemma rate_ge1 b : 1 <= rate K b. Proof. by case: b. Qed.
Lemma rate_ge0 b : 0 <= rate K b. Proof. exact: le_trans ler01 (rate_ge1 b). Qed.
Lemma rate_state t : rate K (has (@rounds R) (steps t)) * K ^+ (hard t).-1 = K ^+ hard t.
Proof. by rewrite has_count -/(hard t); case: (hard t) => [|h] /=; rewrite ?mul1r // exprS. Qed.
Lemma rate_pair l q : rate K (has (@rounds R) (steps l) && has (@rounds R) (steps q)) *
  (K ^+ (hard q).-1 * K ^+ (hard l).-1) = K ^+ (hard l + hard q).-1.
Proof.
rewrite !has_count -/(hard l) -/(hard q); case: (hard l) => [|h]; first by rewrite /= !mul1r expr0 mulr1.
case: (hard q) => [|k]; first by rewrite addn0 andbF /= !mul1r.
by rewrite -exprD -exprS addnC addSn addnS.
Qed.
Lemma Kn1 k : 1 <= K ^+ k. Proof. by rewrite exprn_ege1. Qed.

Lemma multiplier_near V flush store store_loss t : honest K V loss flush store store_loss t ->
  near (multiplier t) (\prod_(z <- steps t) lam z) (K ^+ (hard t).-1 * gain t) (\prod_(z <- steps t) `|lam z|).
Proof.
elim: t => [z /andP[h _]|l IHl q IHq a' b' /=|t IH h /andP[/IH]//].
  rewrite /= !big_seq1 /hard /=; apply: near_weak (near_read h) _.
  by rewrite -[X in X <= _]mul1r ler_wpmul2r ?Kn1 // size_lam_ge0.
case/and4P=> hl hq hm _; have nl := IHl hl; have nq := IHq hq.
rewrite !big_cat /= [X in near _ X]mulrC [X in near _ _ _ X]mulrC; move: hm; rewrite /honest_multiplier; case: ifP => [st|_ hm].
  move=> /eqP ->; have [E F] : \prod_(z <- steps q) lam z * \prod_(z <- steps l) lam z = 0 /\
      \prod_(z <- steps q) `|lam z| * \prod_(z <- steps l) `|lam z| = 0 :> R.
    by case/orP: st => st; rewrite (stopped (@stops_lam R) st) (stopped (@stops_norm R) st) !(mul0r, mulr0).
  by rewrite E F /near !subr0 normr0 lexx andbT; pos; apply: gain_ge0.
have r0 : 0 <= rate K (has (@rounds R) (steps l) && has (@rounds R) (steps q)) - 1 by rewrite subr_ge0 rate_ge1.
apply: near_weak (near_round r0 hm (near_prod nq nl)) _; rewrite [1 + _]addrC subrK hard_node.
rewrite mulrDr; apply: ler_add; last by rewrite -[X in X <= _]mul1r ler_wpmul2r ?Kn1.
by rewrite -rate_pair [X in _ * X]mulrACA !mulrA.
Qed.

(* the factors beside a segment: products with all segments that they touch stay small *)
Definition segments s := forall p r r2, s = p ++ r ++ r2 -> power r <= G.
Definition left x s := forall p r, s = p ++ r -> x * power p <= G.
Definition right s y c := forall p r, s = p ++ r -> power r * y <= c.

Lemma segments_l s p : segments (s ++ p) -> segments s.
Proof. by move=> h a r r2 e; apply: (h a r (r2 ++ p)); rewrite e -!catA. Qed.
Lemma segments_r s p : segments (s ++ p) -> segments p.
Proof. by move=> h a r r2 e; apply: (h (s ++ a) r r2); rewrite e -!catA. Qed.
Lemma G1 s : segments s -> 1 <= G.
Proof. by move=> h; have := h [::] [::] s erefl; rewrite /power big_nil. Qed.
Lemma right_r s p y c : right (s ++ p) y c -> right p y c.
Proof. by move=> h a r e; apply: (h (s ++ a) r); rewrite e catA. Qed.
Lemma right_l s p y c : right (s ++ p) y c -> right s (power p * y) c.
Proof. by move=> h a r e; rewrite mulrA [power r * _]mulrC -power_cat; apply: (h a); rewrite e catA. Qed.
Lemma right_le s y c : right s y c -> y <= c.
Proof. by move=> h; have := h s [::] (esym (cats0 s)); rewrite /power big_nil mul1r. Qed.
Lemma right_all s y c : right s y c -> power s * y <= c. Proof. by move=> h; apply: (h [::] s). Qed.
Lemma left_l x s p : left x (s ++ p) -> left x s.
Proof. by move=> h a r e; apply: (h a (r ++ p)); rewrite e catA. Qed.
Lemma left_r x s p : left x (s ++ p) -> left (x * power s) p.
Proof. by move=> h a r e; rewrite -mulrA [power s * _]mulrC -power_cat; apply: (h (s ++ a) r); rewrite e catA. Qed.
Lemma left_le x s : left x s -> x <= G.
Proof. by move=> h; have := h [::] s erefl; rewrite /power big_nil mulr1. Qed.

Definition W := 1 + loss * G.
Definition lost t := gain t - power (steps t).
Lemma lost_ge0 t : 0 <= lost t. Proof. by rewrite subr_ge0 gain_power. Qed.
Lemma W1 s : segments s -> 1 <= W.
Proof. by move=> h; rewrite /W ler_addl mulr_ge0 // (le_trans ler01 (G1 h)). Qed.

Definition bounded t := forall x y c, 0 <= x -> 0 <= y -> 0 <= c ->
  left x (steps t) -> right (steps t) y c -> x * power (steps t) * y <= c -> x * lost t * y <= c * (W ^+ (n t).-1 - 1).

(* an earlier segment sees what a later one lost as a factor to its right *)
Lemma right_lost l q a b y c : bounded q -> 0 <= y -> 0 <= c ->
  segments (steps (Node l q a b)) -> right (steps (Node l q a b)) y c -> right (steps l) (lost q * y) (c * (W ^+ (n q).-1 - 1)).
Proof.
move=> Bq y0 c0 seg /= rt p r e; rewrite mulrA; apply: Bq => //; first exact: power_ge0.
- move=> p2 r2 e2; rewrite mulrC -power_cat; apply: (seg p (r ++ p2) r2); by rewrite /= e e2 -!catA.
- exact: right_r rt.
by rewrite [power r * _]mulrC -power_cat; apply: (rt p (r ++ steps q)); rewrite e catA.
Qed.

Lemma multiplier_bound t : segments (steps t) -> bounded t.
Proof.
elim: t => [z|l IHl q IHq a b|//] seg x y c x0 y0 c0 lf rt all.
  by rewrite /lost /= /power big_seq1 subrr /n /= expr0 subrr !mulr0 mul0r.
have [Bl Bq] := (IHl (segments_l seg), IHq (segments_r seg)).
have w1 := W1 seg; have G0 := le_trans ler01 (G1 seg).
have split : lost (Node l q a b) = power (steps l) * lost q + lost l * power (steps q) + lost l * lost q + loss.
  by rewrite /lost /= power_cat; ring.
have Eq : 0 <= c * (W ^+ (n q).-1 - 1) by rewrite mulr_ge0 // subr_ge0 exprn_ege1.
have h1 : x * power (steps l) * lost q * y <= c * (W ^+ (n q).-1 - 1).
  apply: Bq => //; first by rewrite mulr_ge0 ?power_ge0.
  - exact: left_r lf.
  - exact: right_r rt.
  by rewrite -!mulrA [power _ * (_ * _)]mulrCA [in X in x * X]mulrA -power_cat mulrA.
have h2 : x * lost l * (power (steps q) * y) <= c * (W ^+ (n l).-1 - 1).
  apply: Bl => //; first by rewrite mulr_ge0 ?power_ge0.
  - exact: left_l lf.
  - exact: right_l rt.
  by rewrite -!mulrA [power _ * (_ * _)]mulrCA [in X in x * X]mulrA -power_cat mulrA.
have h3 : x * lost l * (lost q * y) <= c * (W ^+ (n q).-1 - 1) * (W ^+ (n l).-1 - 1).
  apply: Bl => //; first by rewrite mulr_ge0 ?lost_ge0.
  - exact: left_l lf.
  - exact: right_lost Bq y0 c0 seg rt.
  by rewrite !mulrA in h1 *.
have h4 : x * loss * y <= c * (loss * G).
  by rewrite [c * _]mulrC mulrAC -mulrA [loss * G]mulrC -mulrA ler_pmul ?mulr_ge0 //;
    [exact: left_le lf|rewrite mulrC ler_wpmul2l // (right_le rt)].
rewrite split.
have -> : x * (power (steps l) * lost q + lost l * power (steps q) + lost l * lost q + loss) * y =
  x * power (steps l) * lost q * y + x * lost l * (power (steps q) * y) + x * lost l * (lost q * y) + x * loss * y by ring.
apply: le_trans (ler_add (ler_add (ler_add h1 h2) h3) h4) _.
rewrite n_node -(prednK (n_gt0 l)) -(prednK (n_gt0 q)) addSn addnS /= exprS exprD.
have : 1 <= W ^+ (n l).-1 * W ^+ (n q).-1 by rewrite -exprD exprn_ege1.
move: (W ^+ (n l).-1) (W ^+ (n q).-1) => A B AB.
rewrite -subr_ge0.
have -> : c * (W * (A * B) - 1) - (c * (B - 1) + c * (A - 1) + c * (B - 1) * (A - 1) + c * (loss * G)) =
  c * (loss * G) * (A * B - 1) by rewrite /W; ring.
by rewrite !mulr_ge0 // subr_ge0.
Qed.
End Multiplier.
