(* The rounding theorem: every bracketing of a scan, real or complex, with leaf errors and underflow, as Python evaluates it.

   In words (rounding_any_bracketing): if every operation of an evaluation satisfies `honest` (BoundTree.v), then
     |computed - exact| <= (1 + xi) E + xi X
                           + (1 + xi)(1 + beta)^m [w total + (m loss + (m + 1) flush + q store_loss) G (1 + w)]
     xi = (1 + u)^(c d) (1 + store)^q - 1,   w = (1 + loss G^2)^(m-1) - 1,   d >= the most additions on one path, n - 1 at most,
   q >= the states that are stored in a narrower format, with X, E, n, m, total and G the left folds of BoundCount.v. No bound
   of |lam| is assumed. `rounding_closed_form`, `monomials`: the same without recurrences. `dead` (BoundTree.v): n = 0, no
   error.
   Relies on it: reference/allowance/rounding.py `_bracketing` (order "any" and `store` "chunk"; "chunked", "tree" with their own d). Only
   tested, not proved here: loss = 0 where no product loses (an evaluation that is honest with loss = 0, but the choice `lossy`
   is Python's); d and q of the declared orders; operand_loss of narrowed operands; the last rounding to the format of the
   output (`_stored`); the evaluation of the bound in float64 (`_upward`, UP); integer cases.
   The first leaf is h0: its multiplier meets nobody, so that it may be taken as 0. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From Scanproof Require Import BoundNear BoundTree BoundMultiplier BoundState BoundTop BoundCount.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Rounding.
Variables (R : numDomainType) (beta u loss flush store store_loss : R) (c : nat).
Hypotheses (beta0 : 0 <= beta) (u0 : 0 <= u) (loss0 : 0 <= loss) (flush0 : 0 <= flush).
Hypotheses (store0 : 0 <= store) (store_loss0 : 0 <= store_loss).
Implicit Types (t : tree R) (xs : seq (leaf R)).
Let K := 1 + beta.
Let V := (1 + u) ^+ c.
Let K1 : 1 <= K. Proof. by rewrite ler_addl. Qed.
Let V1 : 1 <= V. Proof. by rewrite exprn_ege1 // ler_addl. Qed.

Definition underflow (m q : nat) (total G : R) := let w := (1 + loss * G ^+ 2) ^+ m.-1 - 1 in
  K ^+ m * (w * total + (m%:R * loss + m.+1%:R * flush + q%:R * store_loss) * G * (1 + w)).
Definition allowance xs d q := let: (_, m, total) := count_scan xs in let: (X, E) := size_scan K xs in
  let xi := (1 + u) ^+ (c * d) * (1 + store) ^+ q - 1 in (1 + xi) * E + xi * X + (1 + xi) * underflow m q total (largest xs).

(* G losses each relative to 1 are not more than losses each relative to G *)
Lemma lost_relative G k : 1 <= G -> G * (W loss G ^+ k - 1) <= (1 + loss * G ^+ 2) ^+ k - 1.
Proof.
move=> G1; have G0 := le_trans ler01 G1; rewrite /W; elim: k => [|k IH]; first by rewrite !expr0 !subrr mulr0.
have a0 : 0 <= loss * G by rewrite mulr_ge0.
have big0 : 0 <= (1 + loss * G ^+ 2) ^+ k - 1 by rewrite subr_ge0 exprn_ege1 // ler_addl mulr_ge0 // exprn_ge0.
have small : 1 + loss * G <= 1 + loss * G ^+ 2.
  by rewrite ler_add2l expr2 mulrA -[X in X <= _]mulr1 ler_wpmul2l.
rewrite ![_ ^+ k.+1]exprS; move: ((1 + loss * G) ^+ k) ((1 + loss * G ^+ 2) ^+ k) IH big0 => A B IH big0.
apply: (@le_trans _ _ ((B - 1) * (1 + loss * G ^+ 2) + loss * G ^+ 2)); last by rewrite le_eqVlt; apply/orP; left; apply/eqP;
  ring.
have -> : G * ((1 + loss * G) * A - 1) = G * (A - 1) * (1 + loss * G) + loss * G ^+ 2 by ring.
rewrite ler_add2r (le_trans (ler_wpmul2r _ IH)) ?addr_ge0 // ler_wpmul2l //.
Qed.

Lemma underflow_covers t G m q : 1 <= G -> (products t <= m)%N -> (sums t <= m.+1)%N -> (writes t <= q)%N ->
  K ^+ m * G * (W loss G ^+ m.-1 * losses loss flush store_loss t - total t) <= underflow m q (total t) G.
Proof.
move=> G1 pm sm wq; have G0 := le_trans ler01 G1; have w1 := lost_relative m.-1 G1.
rewrite /underflow -[X in X <= _]mulrA ler_wpmul2l //; first by rewrite exprn_ge0 // (le_trans ler01 K1).
rewrite /losses -(mulr_natl loss) -(mulr_natl flush) -(mulr_natl store_loss).
move: w1; set w := (1 + _) ^+ _ - 1; set W1 := W _ _ ^+ _ => w1.
have W0 : 0 <= W1 by rewrite exprn_ge0 // addr_ge0 // mulr_ge0.
have -> : G * (W1 * (total t + (products t)%:R * loss + (sums t)%:R * flush + (writes t)%:R * store_loss) - total t) =
  G * (W1 - 1) * total t + ((products t)%:R * loss + (sums t)%:R * flush + (writes t)%:R * store_loss) * (G * W1) by ring.
apply: ler_add; first by rewrite ler_wpmul2r ?total_ge0.
rewrite -mulrA; apply: ler_pmul; rewrite ?addr_ge0 ?mulr_ge0 ?ler0n //.
  by rewrite !ler_add // ler_wpmul2r // ler_nat.
rewrite ler_wpmul2l // addrC -ler_subl_addr (le_trans _ w1) // -[X in X <= _]mul1r ler_wpmul2r //.
by rewrite subr_ge0 exprn_ege1 // ler_addl mulr_ge0.
Qed.

Lemma underflow_ge0 m q s G : 0 <= s -> 1 <= G -> 0 <= underflow m q s G.
Proof.
move=> s0 G1; have G0 := le_trans ler01 G1; have K0 := le_trans ler01 K1; rewrite /underflow.
have: 0 <= (1 + loss * G ^+ 2) ^+ m.-1 - 1 by rewrite subr_ge0 exprn_ege1 // ler_addl mulr_ge0 // exprn_ge0.
by move: (_ - 1) => w w0; pos; rewrite ler0n.
Qed.

Lemma top_allowance t d q : (depth t <= d)%N -> (stores t <= q)%N -> (writes t <= q)%N ->
  top K V loss flush store store_loss t - sizes (steps t) <= allowance (steps t) d q.
Proof.
move=> dd sq wq; have seg := @largest_is R (steps t); have G1 := G1 seg; have G0 := le_trans ler01 G1.
have rt : right (steps t) 1 (largest (steps t)) by move=> p r e; rewrite mulr1; apply: (seg p r [::]); rewrite cats0.
have h := top_bound K1 V1 loss0 flush0 store0 store_loss0 seg ler01 G0 rt; rewrite !mulr1 in h.
rewrite /allowance count_scan_is; have [] := size_scan_is K (steps t); case: (size_scan _ _) => X E /= <- XE.
rewrite -XE in h; have hu := underflow_covers G1 (products_le t) (sums_le t) wq.
have E0 : 0 <= X + E by rewrite XE Y_ge0.
have U0 := underflow_ge0 (since t) q (total_ge0 t) G1.
have : top K V loss flush store store_loss t <= (1 + u) ^+ (c * d) * (1 + store) ^+ q * (X + E + underflow (since t) q (total t)
  (largest (steps t))).
  apply: le_trans h _; apply: le_trans (ler_wpmul2l _ (ler_add (lexx _) hu)) _; first exact: amp0.
  rewrite (ler_wpmul2r (addr_ge0 E0 U0)) // exprM; apply: ler_pmul;
    rewrite ?exprn_ge0 ?addr_ge0 ?(le_trans ler01 V1) // ler_weexpn2l //.
  by rewrite ler_addl.
rewrite -(ler_add2r (- X)) => /le_trans; apply; rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
Qed.

Theorem rounding_any_bracketing t d q : honest K V loss flush store store_loss t ->
  (depth t <= d)%N -> (stores t <= q)%N -> (writes t <= q)%N -> `|state t - exact (steps t)| <= allowance (steps t) d q.
Proof.
move=> h dd sq wq; apply: le_trans (top_allowance dd sq wq).
by case/andP: (near_state K1 V1 loss0 store0 h).
Qed.

(* order "any": d = n - 1, n operands that are not zero *)
Theorem rounding_any_order t : honest K V loss flush store store_loss t -> stores t = 0%N -> writes t = 0%N ->
  `|state t - exact (steps t)| <= allowance (steps t) (count_scan (steps t)).1.1.-1 0.
Proof. by move=> h s w; apply: rounding_any_bracketing; rewrite ?s ?w // count_scan_is; apply: depth_le. Qed.

(* ---- without recurrences *)
Theorem monomials (g s : leaf R -> R) z xs :
  scan g s 0 xs = \sum_(k < size xs) \prod_(x <- drop k.+1 xs) g x * s (nth z xs k).
Proof.
elim/last_ind: xs => [|xs x IH]; first by rewrite big_ord0.
rewrite size_rcons big_ord_recr /= drop_oversize ?size_rcons // big_nil mul1r nth_rcons ltnn eqxx.
rewrite /scan foldl_rcons -/(scan g s 0 xs) IH big_distrr /=; congr (_ + _); apply: eq_bigr => k _.
by rewrite drop_rcons // -cats1 big_cat big_seq1 nth_rcons ltn_ord mulrA [g x * _]mulrC.
Qed.

Lemma Y_closed r xs : 0 <= r -> all (fun x => (dlam x == r * `|lam x|) && (ddrive x == 0)) xs ->
  Y K xs <= ((1 + r) * (1 + beta)) ^+ (size xs).-1 * sizes xs.
Proof.
move=> r0; have r1 : 1 <= 1 + r by rewrite ler_addl.
set Q := (1 + r) * (1 + beta); have Q1 : 1 <= Q by rewrite mulr_ege1.
elim/last_ind: xs => [|xs x IH]; first by rewrite /Y /sizes /scan /= mulr0.
rewrite all_rcons => /andP[/andP[/eqP dl /eqP db] /IH h]; rewrite size_rcons /= /Y /sizes /scan !foldl_rcons.
rewrite -!/(scan _ _ _ _) -/(Y K xs) -/(sizes xs) /size_drive db addr0 [X in _ <= X]mulrDr ler_add //; last first.
  by rewrite -[X in X <= _]mul1r ler_wpmul2r // exprn_ege1.
have kQ : rate K (rounds x) * size_lam x <= Q * `|lam x|.
  rewrite /size_lam dl -[X in X + _]mul1r -mulrDl mulrA ler_wpmul2r // /Q mulrC ler_wpmul2l ?(le_trans ler01) //.
  by case: (rounds x).
have up := ler_pmul (mulr_ge0 (rate_ge0 K1 _) (size_lam_ge0 x)) (Y_ge0 K1 xs) kQ h.
apply: le_trans up _; case: xs {IH h} => [|z xs]; first by rewrite /sizes /scan /= !mulr0.
by rewrite /= exprS le_eqVlt; apply/orP; left; apply/eqP; ring.
Qed.

Theorem rounding_closed_form t d q r : 0 <= r -> all (fun x => (dlam x == r * `|lam x|) && (ddrive x == 0)) (steps t) ->
  honest K V loss flush store store_loss t -> (depth t <= d)%N -> (stores t <= q)%N -> (writes t <= q)%N ->
  `|state t - exact (steps t)| <= (((1 + r) * (1 + beta)) ^+ (size (steps t)).-1 * ((1 + u) ^+ (c * d) * (1 + store) ^+ q) - 1) *
    sizes (steps t)
    + (1 + u) ^+ (c * d) * (1 + store) ^+ q * underflow (since t) q (total t) (largest (steps t)).
Proof.
move=> r0 stored h dd sq wq; set m := (size (steps t)).-1; apply: le_trans (rounding_any_bracketing h dd sq wq) _.
rewrite /allowance count_scan_is; have [] := size_scan_is K (steps t); case: (size_scan _ _) => X E /= Xs XE; rewrite -Xs.
suff hY : X + E <= ((1 + r) * (1 + beta)) ^+ m * X.
  have q0 : 0 <= (1 + u) ^+ (c * d) * (1 + store) ^+ q by rewrite mulr_ge0 // exprn_ge0 // addr_ge0.
  move: hY => /(ler_wpmul2l q0); move: (_ ^+ m) (_ * _ ^+ q) (underflow _ _ _ _) => Q p U hY.
  rewrite -subr_ge0 in hY; rewrite -subr_ge0.
  by have -> : (Q * p - 1) * X + p * U - ((1 + (p - 1)) * E + (p - 1) * X + (1 + (p - 1)) * U) = p * (Q * X) - p * (X + E) by
    ring.
by rewrite XE Xs; apply: Y_closed.
Qed.
End Rounding.
