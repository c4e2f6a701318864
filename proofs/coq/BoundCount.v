(* What Python computes step by step instead of over trees: sizes, counts and the largest segment product of a scan.

   In words: each is a left fold over the steps, so it costs O(T), and for every bracketing of these steps
     X, E          Y = X + E, where E' = (A + dA) k E + (dA k + A (k - 1)) X + dX with k = 1 + beta, or 1 where lam does not round
     n, m, total   operands that are not exactly zero, products since the first, sum of |b| + dX; lam = 0 starts afresh
     depth <= n - 1, products <= m, sums <= m + 1
     G             ending' = A max(ending, 1), G' = max(G, ending') bounds the products of |lam| over all segments
   In Python: reference/allowance/magnitudes.py `magnitudes_of`, `_largest_segment`; reference/allowance/rounding.py `_products`. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From Scanproof Require Import BoundNear BoundTree BoundMultiplier BoundState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Count.
Variable R : numDomainType.
Implicit Types (t l q : tree R) (s p xs : seq (leaf R)).

(* ---- sizes *)
Definition size_step K (z : R * R) x := let A := `|lam x| in let dA := dlam x in let k := rate K (rounds x) in
  (A * z.1 + `|drive x|, (A + dA) * k * z.2 + (dA * k + A * (k - 1)) * z.1 + ddrive x).
Definition size_scan K xs := foldl (size_step K) (0, 0) xs.

Theorem size_scan_is K xs : (size_scan K xs).1 = sizes xs /\ (size_scan K xs).1 + (size_scan K xs).2 = Y K xs.
Proof.
rewrite /size_scan /sizes /Y /scan; elim/last_ind: xs => [|xs x] /=; first by rewrite addr0.
rewrite !foldl_rcons; move: (foldl (size_step _) _ _) => z [<- <-] /=; split=> //.
by rewrite /size_lam /size_drive; move: (rate _ _) => k; ring.
Qed.

(* ---- counts *)
Definition count_step (k : nat * nat * R) x := let: (n, m, total) := k in let carried := ~~ stops x && (0 < n)%N in
  (((if stops x then 0 else n) + some x)%N, (if carried then m.+1 else 0%N), (if carried then total else 0) + size_drive x).
Definition count_scan xs := foldl count_step (0%N, 0%N, 0) xs.
Fixpoint operands t : nat := match t with Leaf x => some x
  | Node l q _ _ => if carried l q then (operands l + operands q)%N else operands q | Store t _ => operands t end.

Lemma live_operands t : live t = (0 < operands t)%N.
Proof.
elim: t => [x|l IHl q IHq a b|//] /=; first by case: (some x).
rewrite IHq -/(carried l q); case: (boolP (carried l q)) => c; rewrite ?orbF // orbT.
by move: c; rewrite /carried IHl addn_gt0 => /andP[->].
Qed.

Lemma count_from t k : foldl count_step k (steps t) =
  if (0 < k.1.1)%N && ~~ has (@stops R) (steps t) then ((k.1.1 + operands t)%N, (k.1.2 + n t)%N, k.2 + total t)
  else (operands t, since t, total t).
Proof.
elim: t k => [x|l IHl q IHq a b|//] [[n0 m0] t0] /=.
  by rewrite orbF /n /=; case: (stops x); case: n0 => [|n0] //=; rewrite ?addn1 ?add0n ?add0r.
rewrite foldl_cat IHl IHq has_cat negb_or n_node /= /carried live_operands.
case: n0 => [|n0] /=; first by rewrite -(live_operands l); case: (live l) (has _ (steps q)) => [] [].
case: (has _ (steps l)) => /=; first by rewrite -(live_operands l); case: (live l) (has _ (steps q)) => [] [].
case: (has _ (steps q)) => /=; first by rewrite andbF.
rewrite andbT addnA; case: ifP => h; first by rewrite -addnA addrA.
have [_ -> _] := not_live 0 0 0 0 0 0 (negbT (etrans (live_operands l) h)).
by rewrite addr0; move/negbT: h; rewrite -leqNgt leqn0 => /eqP ->; rewrite addn0.
Qed.
Theorem count_scan_is t : count_scan (steps t) = (operands t, since t, total t).
Proof. exact: count_from. Qed.

Theorem depth_le t : (depth t <= (operands t).-1)%N.
Proof.
elim: t => // l IHl q IHq a b; rewrite /= /chosen; case: (boolP (carried l q)) => c; case: (boolP (live q)) => lq //.
- move: lq; case/andP: c; rewrite !live_operands => + _; move: IHl IHq; case: (operands l) (operands q) => [|i] [|j] //.
  by move=> hl hq _ _; rewrite addSn addnS ltnS geq_max (leq_trans hl) ?leq_addr // (leq_trans hq) ?leq_addl.
by apply: (leq_trans IHl); case: (operands l) => // i; rewrite addSn leq_addr.
Qed.

Lemma leaf_sums t : is_leaf t -> sums t = 0%N. Proof. by elim: t. Qed.
Lemma few t : [/\ (products t < n t)%N, (products t <= since t)%N, (sums t < n t)%N & (sums t <= (since t).+1)%N].
Proof.
elim: t => // l [pn pm sn sm] q [qn qm rn rm] a b; rewrite n_node /= /chosen.
have n0 : (0 < n l + n q)%N by rewrite addn_gt0 n_gt0.
have sq : (is_leaf q + sums q <= (since q).+1)%N by case: (boolP (is_leaf q)) => [/leaf_sums ->|_].
case: (carried l q); case: (live q); split=> //.
- by rewrite -addSn -addnS leq_add.
- by rewrite -addnS leq_add.
- by rewrite -addSn -addnS leq_add.
- by rewrite -addnS -addSn leq_add.
- by rewrite -addn1 leq_add // n_gt0.
- by rewrite -addn1 leq_add // n_gt0.
- by rewrite -addn1 leq_add // n_gt0.
- by rewrite -addn1 -addSn leq_add // n_gt0.
- by rewrite (leq_trans qn) // leq_addl.
by rewrite -addnS leq_add // (leq_trans _ (n_gt0 l)) //; case: (is_leaf q).
Qed.
Theorem products_le t : (products t <= since t)%N. Proof. by case: (few t). Qed.
Theorem sums_le t : (sums t <= (since t).+1)%N. Proof. by case: (few t). Qed.

(* ---- the largest product of multipliers over a segment *)
Definition segment_step (z : R * R) x := let ending := size_lam x * Num.max z.1 1 in (ending, Num.max z.2 ending).
Definition segment_scan xs := foldl segment_step (1, 1) xs.
Definition largest xs := (segment_scan xs).2.

Theorem largest_is xs : segments (largest xs) xs.
Proof.
suff [] : [/\ 0 <= (segment_scan xs).1, 1 <= largest xs, forall p r, xs = p ++ r -> power r <= Num.max (segment_scan xs).1 1
  & segments (largest xs) xs] by [].
rewrite /largest /segment_scan; elim/last_ind: xs => [|xs x] /=.
  split=> // [p r|p r r2]; first by case: p; case: r => //; rewrite /power big_nil => _;
    case/andP: (max_ge (@ler01 R) (@ler01 R)).
  by case: p; case: r => //; rewrite /power big_nil.
rewrite foldl_rcons; move: (foldl _ _ _) => [e g] /= [e0 g1 suffix seg].
have /andP[em m1] := max_ge e0 ler01; have e0' : 0 <= size_lam x * Num.max e 1 by rewrite mulr_ge0 ?size_lam_ge0 ?(le_trans e0).
have /andP[gm mm] := max_ge (le_trans ler01 g1) e0'; have /andP[_ one] := max_ge e0' ler01;
  have /andP[end_ _] := max_ge e0' (@ler01 R).
have last r p : rcons xs x = p ++ rcons r x -> power (rcons r x) <= size_lam x * Num.max e 1.
  rewrite -rcons_cat => /rcons_inj[E]; rewrite -cats1 power_cat /power big_seq1 ler_wpmul2l ?size_lam_ge0 //.
  exact: suffix E.
split=> // [|p r|p r r2]; first exact: le_trans g1 gm.
  case/lastP: r => [_|r z E]; first by rewrite /power big_nil.
  have [_ xz] := rcons_inj (etrans E (esym (rcons_cat _ _ _))); subst z; exact: le_trans (last _ _ E) end_.
case/lastP: r2 => [|r2 z]; rewrite ?cats0.
  case/lastP: r => [_|r z E]; first by rewrite /power big_nil (le_trans g1).
  have [_ xz] := rcons_inj (etrans E (esym (rcons_cat _ _ _))); subst z; exact: le_trans (last _ _ E) mm.
rewrite -!rcons_cat => /rcons_inj[E _]; exact: le_trans (seg _ _ _ E) gm.
Qed.
End Count.
