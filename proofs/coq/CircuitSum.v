(* Sums that stay open: the rule of allowance arithmetic for n addends added in any order, and its rule for products.

   In words: addends y_i, |y_i| <= X_i, computed within E_i; a binary tree adds them, each sum off by at most u times itself, or
   flushed to zero from below flush; a sum with an exact zero does not round. X = sum X_i, n of the addends not exactly zero, E0
   = sum E_i + flush (flush once, if n > 0), g = (1 + u)^(n - 1) - 1. Then, whatever the tree and the order of the addends,
     open_sum       |computed - sum y_i| <= E0 + g (X + E0) + (1 + g)(n - 1) flush
     product_rule   |fl(a' b') - a b| <= X_a E_b + E_a X_b + E_a E_b + beta (X_a + E_a)(X_b + E_b) + loss
   Source: docs/theorem.md, reference/allowance/bounded.py. Relies on it: reference/allowance/bounded.py `Bounded.E`, `__add__`, `sum`, `_product`, where
   every sum adds flush at least once. Only tested: 3 n addends for n complex products; declared depths of sums below n - 1;
   division, functions. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From Scanproof Require Import BoundNear.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Sum.
Variables (R : numDomainType) (u flush : R).
Hypotheses (u0 : 0 <= u) (flush0 : 0 <= flush).

Record addend := Addend { value : R; computed_value : R; size : R; error : R }.
Inductive order := One of addend | Plus of order & order & R.
Definition computed t := match t with One y => computed_value y | Plus _ _ s => s end.
Fixpoint addends t := match t with One y => [:: y] | Plus l q _ => addends l ++ addends q end.
Definition some y := (size y != 0) || (error y != 0).
Definition total (f : addend -> R) t := \sum_(y <- addends t) f y.
Definition n t := count some (addends t).

Definition honest_sum l q s := let z := computed l + computed q in
  if (computed l == 0) || (computed q == 0) then (s == z) || ((s == 0) && (`|z| <= flush))
  else (`|s - z| <= u * `|z|) || ((s == 0) && (`|z| <= flush)).
Fixpoint honest t := match t with
  | One y => (`|computed_value y - value y| <= error y) && (`|value y| <= size y)
  | Plus l q s => [&& honest l, honest q & honest_sum l q s] end.

(* sums and sizes are those of the addends, in whatever order *)
Theorem same_addends f t t' : perm_eq (map f (addends t)) (map f (addends t')) -> total f t = total f t'.
Proof. by move=> p; rewrite /total -!(big_map f xpredT id); apply: perm_big. Qed.

Let V := 1 + u.
Let V1 : 1 <= V. Proof. by rewrite ler_addl. Qed.
Let V0 : 0 <= V := le_trans ler01 V1.
(* a flush leaves a zero, which then costs nothing: at most n of them, n - 1 if the result is not zero *)
Definition alive t := computed t != 0.
Definition flushes t := (n t - alive t)%N.
Definition top t := V ^+ (n t).-1 * (total size t + total error t + flush *+ flushes t).

Lemma total_node f l q s : total f (Plus l q s) = total f l + total f q. Proof. exact: big_cat. Qed.
Lemma n_node l q s : n (Plus l q s) = (n l + n q)%N. Proof. exact: count_cat. Qed.
Lemma totals t : honest t -> 0 <= total size t /\ 0 <= total error t.
Proof.
elim: t => [y /andP[h1 h2]|l IHl q IHq s /and3P[/IHl[a b] /IHq[c d] _]].
  by rewrite /total !big_seq1 (le_trans _ h2) // (le_trans _ h1).
by rewrite !total_node !addr_ge0.
Qed.
Lemma alive_n t : honest t -> (alive t <= n t)%N.
Proof.
elim: t => [y /andP[h1 h2]|l IHl q IHq s] /=.
  rewrite /alive /n /= addn0 /some; case: (eqVneq (size y) 0) => [s0|_]; last exact: leq_b1.
  case: (eqVneq (error y) 0) => [e0|_]; last exact: leq_b1.
  by move: h2 h1; rewrite s0 e0 normr_le0 => /eqP ->; rewrite subr0 normr_le0 => ->.
case/and3P=> /IHl hl /IHq hq; rewrite n_node /honest_sum /alive /= -/(alive l) -/(alive q) => hs.
move: hl hq; rewrite /alive; case: (boolP (s == 0)) => //= sn.
case: (boolP (computed l == 0)) hs => [l0|//] /=; last by move=> *; apply: leq_trans (leq_addr _ _).
case: (boolP (computed q == 0)) => [q0|//] /=; last by move=> *; apply: leq_trans (leq_addl _ _).
by rewrite (eqP l0) (eqP q0) addr0 (negPf sn).
Qed.

Lemma grow p q a b : (p <= q)%N -> 0 <= a -> a <= b -> V ^+ p * a <= V ^+ q * b.
Proof. by move=> pq a0 ab; apply: ler_pmul; rewrite ?exprn_ge0 ?ler_weexpn2l. Qed.

Lemma sum_near t : honest t -> near (computed t) (total value t) (top t) (total size t).
Proof.
elim: t => [y /andP[h1 h2]|l IHl q IHq s /=].
  rewrite /top /n /total /= addn0 !big_seq1; apply: (@near_weak _ _ _ (size y + error y)).
    by rewrite /near h2 andbT addrAC subrr add0r.
  have -> : (some y : nat).-1 = 0%N by case: (some y).
  by rewrite expr0 mul1r ler_addl mulrn_wge0.
case/and3P=> hl hq hs; have [al aq] := (alive_n hl, alive_n hq).
have nl := IHl hl; have nq := IHq hq; have z := near_sum nl nq; rewrite !total_node.
have [[Sl El] [Sq Eq]] := (totals hl, totals hq).
have close p k e : ((n l).-1 <= p)%N -> ((n q).-1 <= p)%N -> (flushes l + flushes q + e <= k)%N ->
    top l + top q + flush *+ e <= V ^+ p * (total size l + total size q + (total error l + total error q) + flush *+ k).
  move=> lp qp ke; have F i : 0 <= flush *+ i by rewrite mulrn_wge0.
  have tl : top l <= V ^+ p * (total size l + total error l + flush *+ flushes l) by rewrite grow ?addr_ge0.
  have tq : top q <= V ^+ p * (total size q + total error q + flush *+ flushes q) by rewrite grow ?addr_ge0.
  have te : flush *+ e <= V ^+ p * flush *+ e by rewrite -[X in X <= _]mul1r -mulrnAr ler_wpmul2r // exprn_ege1.
  apply: (le_trans (ler_add (ler_add tl tq) te)); rewrite -mulrnAr -!mulrDr ler_wpmul2l ?exprn_ge0 //.
  rewrite [X in X <= _](_ : _ = total size l + total size q + (total error l + total error q) + flush *+ (flushes l + flushes q +
    e)).
    by rewrite ler_add2l ler_wpmuln2l.
  by rewrite !mulrnDr; move: (flush *+ _) (flush *+ _) (flush *+ _) => f1 f2 f3; ring.
have [pl pq] : ((n l).-1 <= (n l + n q).-1)%N /\ ((n q).-1 <= (n l + n q).-1)%N.
  by split; rewrite -!subn1 leq_sub2r ?leq_addr ?leq_addl.
have few : (flushes l + flushes q = n l + n q - (alive l + alive q))%N by rewrite /flushes addnBA // addnBAC // subnDA.
set t := Plus l q s; have tops e : (flushes l + flushes q + e <= n l + n q - alive t)%N -> top l + top q + flush *+ e <= top t.
  by move=> h; rewrite {3}/top /t !total_node n_node /flushes n_node close.
have flushed : s == 0 -> `|computed l + computed q| <= flush -> (0 < alive l + alive q)%N ->
    near s (total value l + total value q) (top t) (total size l + total size q).
  move=> s0 hz a; have := @near_round _ 0 flush s _ _ _ _ (lexx 0) _ z.
  rewrite (eqP s0) sub0r normrN mul0r add0r addr0 mul1r => /(_ hz) h; apply: (near_weak h); apply: (tops 1%N).
  have -> : alive t = false by rewrite /alive /t /= s0.
  by rewrite few subn0 addn1 ltn_subrL a (leq_trans a) ?leq_add.
have kept : (alive t <= alive l + alive q)%N -> top l + top q <= top t.
  by move=> a; rewrite -[X in X <= _]addr0 -[0]/(flush *+ 0) tops // few addn0 leq_sub2l.
move: hs; rewrite /honest_sum; case: ifP => [zero|both] /orP[hs|/andP[s0 hs]].
- rewrite (eqP hs); apply: near_weak z (kept _); rewrite /alive /t /= (eqP hs).
  by case/orP: zero => /eqP ->; rewrite eqxx ?addr0 ?add0r ?addn0.
- case: (posnP (alive l + alive q)) => [/eqP|a]; last exact: flushed.
  rewrite addn_eq0 !eqb0 !negbK => /andP[/eqP cl /eqP cq].
  rewrite (eqP s0) -[X in near X](addr0 0) -{1}cl -cq; apply: near_weak z (kept _).
  by rewrite /alive /t /= s0.
- have [cl cq] : alive l /\ alive q by apply/andP; rewrite /alive -negb_or both.
  rewrite -[X in _ <= X]addr0 in hs; apply: near_weak (near_round u0 hs z) _.
  have [n1 n2] : (0 < n l)%N /\ (0 < n q)%N by split; [apply: leq_trans al; rewrite cl|apply: leq_trans aq; rewrite cq].
  have p : (n l + n q).-1 = ((n l).-1 + (n q).-1).+1 by rewrite -{1}(prednK n1) -{1}(prednK n2) addSn addnS.
  rewrite addr0 /t [top (Plus l q s)]/top !total_node n_node p exprS -mulrA ler_wpmul2l //.
  rewrite -[X in X <= _]addr0 -[0]/(flush *+ 0) close ?leq_addr ?leq_addl //.
  by rewrite addn0 few /flushes n_node leq_sub2l // cl cq (leq_trans (leq_b1 _)).
by apply: flushed => //; rewrite addn_gt0 lt0b /alive; move/norP: (negbT both) => [-> _].
Qed.

Definition E0 t := total error t + (if (0 < n t)%N then flush else 0).
Definition growth t := (1 + u) ^+ (n t).-1 - 1.
Theorem open_sum t : honest t -> `|computed t - total value t| <=
  E0 t + growth t * (total size t + E0 t) + (1 + growth t) * (flush *+ (n t).-1).
Proof.
move=> h; have /andP[near_ _] := sum_near h; apply: (le_trans near_); have Vn : 0 <= V ^+ (n t).-1 by rewrite exprn_ge0.
rewrite /growth -/V.
have -> : E0 t + (V ^+ (n t).-1 - 1) * (total size t + E0 t) + (1 + (V ^+ (n t).-1 - 1)) * (flush *+ (n t).-1) =
  V ^+ (n t).-1 * (total size t + total error t + ((if (0 < n t)%N then flush else 0) + flush *+ (n t).-1)) - total size t.
  by rewrite /E0; move: (V ^+ _) (flush *+ _) (if _ then _ else _) => v f1 f2; ring.
rewrite ler_add2r ler_wpmul2l // ler_add2l /flushes; case: (n t) => [|k] /=; first by rewrite add0r.
by rewrite -mulrS ler_wpmuln2l // leq_subr.
Qed.

(* products *)
Theorem product_rule beta loss (a b a' b' z Xa Xb Ea Eb : R) : 0 <= beta -> `|a' - a| <= Ea -> `|a| <= Xa -> `|b' - b| <= Eb ->
  `|b| <= Xb ->
  `|z - a' * b'| <= beta * `|a' * b'| + loss ->
  `|z - a * b| <= Xa * Eb + Ea * Xb + Ea * Eb + beta * ((Xa + Ea) * (Xb + Eb)) + loss.
Proof.
move=> beta0 ha xa hb xb hz.
have na : near a' a (Xa + Ea) Xa by rewrite /near xa andbT addrAC subrr add0r.
have nb : near b' b (Xb + Eb) Xb by rewrite /near xb andbT addrAC subrr add0r.
have /andP[h _] := near_round beta0 hz (near_prod na nb); apply: (le_trans h).
by rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
Qed.
End Sum.
