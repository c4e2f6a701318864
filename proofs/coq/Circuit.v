(* The circuit theorem: rounding in any straight-line program of sums and products that does not cancel.

   In words: a program reads leaves x_i with |x_i' - x_i| <= E_i, adds, multiplies, and applies what does not enlarge
   (conjugate, real part, negation, copies: `Free`), to results of earlier instructions, any number of times. Evaluate it on
   absolute values: X; and with every rounding against us: X+ (product (1 + beta) X+ Y+ + loss, sum (1 + u)(X+ + Y+) + flush).
   Then for every result
     circuit      |computed - exact| <= X+ - X
     counted      |computed - exact| <= [(1 + beta)^m (1 + u)^a rho - 1] X  if E_i <= r_i |x_i|, loss = flush = 0, where
                  m products in one monomial (degree - 1), a most additions along one parse tree, rho = most of
                  prod(1 + r_i) along one
     expansion    X is the sum over the monomials of the program multiplied out, on absolute values; so it is the same for all
     same_size    programs with the same monomials: re-bracketing, distributing, factoring change m and a only
   Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), chapter 3; allowances of layers rest on it.
   Relies on it: reference/allowance/bounded.py (X and E of every expression), claims `rounding-near`, `rounding-circuit`. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From Scanproof Require Import BoundNear.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Circuit.
Variables (R : numDomainType) (beta u loss flush : R).
Hypotheses (beta0 : 0 <= beta) (u0 : 0 <= u) (loss0 : 0 <= loss) (flush0 : 0 <= flush).
Variables (x r : nat -> R).                                       (* leaves and their relative errors *)
Hypothesis r0 : forall i, 0 <= r i.
Variables (F : Type) (apply : F -> R -> R).                       (* what is free *)
Hypothesis free : forall f y z, `|apply f y - apply f z| <= `|y - z|.
Hypothesis free0 : forall f, apply f 0 = 0.

(* an instruction with what it computed; operands are positions of earlier results *)
Inductive instruction := Read of nat & R & R | Add of nat & nat & R | Mul of nat & nat & R | Free of F & nat.
Record result := Result { computed : R; exact : R; upper : R; size : R; m : nat; a : nat; rho : R; monomials : seq (seq nat) }.
Definition none := Result 0 0 0 0 0 0 1 [::].
Implicit Types (e : result) (s : seq result).

Definition after s c := match c with
  | Read i y E => Result y (x i) (`|x i| + E) `|x i| 0 0 (1 + r i) [:: [:: i]]
  | Add i j y => let e := nth none s i in let g := nth none s j in
      Result y (exact e + exact g) ((1 + u) * (upper e + upper g) + flush) (size e + size g)
        (maxn (m e) (m g)) (maxn (a e) (a g)).+1 (Num.max (rho e) (rho g)) (monomials e ++ monomials g)
  | Mul i j y => let e := nth none s i in let g := nth none s j in
      Result y (exact e * exact g) ((1 + beta) * (upper e * upper g) + loss) (size e * size g)
        (m e + m g).+1 (a e + a g) (rho e * rho g) [seq v ++ w | v <- monomials e, w <- monomials g]
  | Free f i => let e := nth none s i in
      Result (apply f (computed e)) (apply f (exact e)) (upper e) (size e) (m e) (a e) (rho e) (monomials e) end.
Definition honest s c := match c with
  | Read i y E => `|y - x i| <= E
  | Add i j y => let z := computed (nth none s i) + computed (nth none s j) in `|y - z| <= u * `|z| + flush
  | Mul i j y => let z := computed (nth none s i) * computed (nth none s j) in `|y - z| <= beta * `|z| + loss
  | Free _ _ => true end.
Fixpoint run s p := if p is c :: p then run (rcons s (after s c)) p else s.
Fixpoint honest_run s p := if p is c :: p then honest s c && honest_run (rcons s (after s c)) p else true.

Definition sound e := near (computed e) (exact e) (upper e) (size e).

(* what every instruction keeps holds of every result *)
Lemma invariant (P : pred result) (ok : pred instruction) p : P none ->
  (forall s c, (forall i, P (nth none s i)) -> ok c -> honest s c -> P (after s c)) ->
  all ok p -> honest_run [::] p -> all P (run [::] p).
Proof.
move=> P0 H; have : all P [::] by []; elim: p [::] => //= c p IH s Ps /andP[okc okp] /andP[h hs].
apply: IH => //; rewrite all_rcons Ps andbT H // => i; case: (ltnP i (seq.size s)) => [|le]; first exact: all_nthP.
by rewrite nth_default.
Qed.

Lemma sound_none : sound none. Proof. by rewrite /sound /near /= subrr normr0 lexx. Qed.

Theorem circuit p : honest_run [::] p -> all sound (run [::] p).
Proof.
move=> h; apply: (@invariant _ predT) => //; [exact: sound_none|move=> s c ok _ {}h|exact: all_predT].
case: c h => [i y E|i j y|i j y|f i] /= h; rewrite /sound /=.
- exact: near_read.
- exact: near_round u0 h (near_sum (ok i) (ok j)).
- exact: near_round beta0 h (near_prod (ok i) (ok j)).
have /andP[h1 h2] := ok i; rewrite /near (le_trans (free _ _ _) h1) /=.
by rewrite -[apply _ _]subr0 -(free0 f) (le_trans (free _ _ _)) // subr0.
Qed.

(* ---- counted *)
Let K := 1 + beta.
Let V := 1 + u.
Let K1 : 1 <= K. Proof. by rewrite ler_addl. Qed.
Let V1 : 1 <= V. Proof. by rewrite ler_addl. Qed.
Definition growth e := K ^+ m e * V ^+ a e * rho e.
Definition counted_result e := [&& 1 <= rho e, 0 <= size e, 0 <= upper e & upper e <= growth e * size e].
Definition relative c := if c is Read i _ E then (0 <= E) && (E <= r i * `|x i|) else true.

Lemma growth_le b d (p q p' q' : nat) : (p <= p')%N -> (q <= q')%N -> 0 <= b -> b <= d ->
  K ^+ p * V ^+ q * b <= K ^+ p' * V ^+ q' * d.
Proof.
move=> pp qq b0 bd; have K0 := le_trans ler01 K1; have V0 := le_trans ler01 V1.
by apply: ler_pmul => //; rewrite ?mulr_ge0 ?exprn_ge0 // ler_pmul ?exprn_ge0 // ler_weexpn2l.
Qed.

Lemma counted_all p : loss = 0 -> flush = 0 -> all relative p -> honest_run [::] p -> all counted_result (run [::] p).
Proof.
move=> l0 f0; have K0 := le_trans ler01 K1; have V0 := le_trans ler01 V1.
apply: invariant => [|s c ok]; first by rewrite /counted_result /= mulr0 !lexx.
case: c => [i y E|i j y|i j y|f i] /= h _; rewrite /counted_result /growth /=; last exact: ok.
- case/andP: h => E0 h; rewrite ler_addl r0 normr_ge0 addr_ge0 //= !expr0 !mul1r mulrDl mul1r ler_add2l.
  exact: h.
- have /and4P[g1 s1 w1 h1] := ok i; have /and4P[g2 s2 w2 h2] := ok j; rewrite f0 addr0.
  move: (nth none s i) (nth none s j) g1 s1 w1 h1 g2 s2 w2 h2 => e g g1 s1 w1 h1 g2 s2 w2 h2.
  have /andP[m1 m2] := max_ge (le_trans ler01 g1) (le_trans ler01 g2).
  rewrite (le_trans g1 m1) !(addr_ge0 _ _, mulr_ge0) ?addr_ge0 //= exprS.
  rewrite -/V; set mm := maxn _ _; set aa := maxn _ _; set rr := Num.max _ _.
  have -> : K ^+ mm * (V * V ^+ aa) * rr * (size e + size g) = V * (K ^+ mm * V ^+ aa * rr * size e + K ^+ mm * V ^+ aa * rr *
    size g) by ring.
  have e0 := le_trans ler01 g1; have e1 := le_trans ler01 g2.
  rewrite ler_wpmul2l // ler_add // (le_trans h1, le_trans h2) // ler_wpmul2r // /growth growth_le ?leq_maxl ?leq_maxr //.
have /and4P[g1 s1 w1 h1] := ok i; have /and4P[g2 s2 w2 h2] := ok j; rewrite l0 addr0.
move: (nth none s i) (nth none s j) g1 s1 w1 h1 g2 s2 w2 h2 => e g g1 s1 w1 h1 g2 s2 w2 h2.
rewrite mulr_ege1 // !mulr_ge0 ?addr_ge0 //=.
have -> : K ^+ (m e + m g).+1 * V ^+ (a e + a g) * (rho e * rho g) * (size e * size g) =
  K * ((growth e * size e) * (growth g * size g)) by rewrite /growth exprS !exprD; ring.
by rewrite ler_wpmul2l // ler_pmul.
Qed.

Theorem counted p : loss = 0 -> flush = 0 -> all relative p -> honest_run [::] p ->
  all (fun e => `|computed e - exact e| <= ((1 + beta) ^+ m e * (1 + u) ^+ a e * rho e - 1) * size e) (run [::] p).
Proof.
move=> l0 f0 rel h; have both : all (predI sound counted_result) (run [::] p) by rewrite all_predI circuit //= counted_all.
apply: sub_all both => e /andP[/andP[near_ _] /and4P[_ _ _ up]].
by apply: (le_trans near_); rewrite mulrBl mul1r ler_add2r.
Qed.

(* ---- multiplied out *)
Definition absolute (ws : seq (seq nat)) := \sum_(w <- ws) \prod_(i <- w) `|x i|.
Theorem expansion p : honest_run [::] p -> all (fun e => size e == absolute (monomials e)) (run [::] p).
Proof.
apply: (@invariant _ predT) => [|s c ok _ _|]; rewrite ?all_predT //; first by rewrite /absolute big_nil.
rewrite /absolute; case: c => [i y E|i j y|i j y|f i] /=; last exact: ok.
- by rewrite !big_seq1.
- by rewrite big_cat /= (eqP (ok i)) (eqP (ok j)).
rewrite (eqP (ok i)) (eqP (ok j)) big_allpairs_dep big_distrlr /=; apply/eqP.
by apply: eq_bigr => v _; apply: eq_bigr => w _; rewrite big_cat.
Qed.
Theorem same_size (v w : seq (seq nat)) : perm_eq (map (sort leq) v) (map (sort leq) w) -> absolute v = absolute w.
Proof.
have sorted_ (z : seq (seq nat)) : absolute z = absolute (map (sort leq) z).
  by rewrite /absolute big_map; apply: eq_bigr => t _; apply: perm_big; rewrite perm_sym perm_sort.
by move=> p; rewrite sorted_ [RHS]sorted_ /absolute; apply: perm_big.
Qed.
End Circuit.
