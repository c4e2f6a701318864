(* Rounding and underflow in states, any bracketing.

   In words: `top t` is the size of a state with every rounding, loss and flush against us (near_state: |computed - exact| <=
   top - X). With the counts of a bracketing (each at most that of the scan, BoundCount.v) it is at most
     top t <= V^depth (1 + store)^stores (Y + K^m c (W^(m-1) (total + losses) - total)),      W = 1 + loss G,
     losses = products loss + sums flush + writes store_loss,
   where Y is the scan with the multipliers K |lam| that are read, m the steps since the first operand that is not zero, and c
   bounds the products of |lam| over segments that end at the last step (top_bound, there with a later factor y).
   Source: docs/theorem.md. In Python: reference/allowance/rounding.py `_bracketing`. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From Scanproof Require Import BoundNear BoundTree BoundMultiplier.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section State.
Variables (R : numDomainType) (K V loss flush store store_loss G : R).
Hypotheses (K1 : 1 <= K) (V1 : 1 <= V) (loss0 : 0 <= loss) (flush0 : 0 <= flush).
Hypotheses (store0 : 0 <= store) (store_loss0 : 0 <= store_loss).
Implicit Types (t l q : tree R) (s p : seq (leaf R)) (y c : R).
Notation gain := (gain loss).
Notation W := (W loss G).
Let K0 : 0 <= K := le_trans ler01 K1.
Let V0 : 0 <= V := le_trans ler01 V1.

Fixpoint top t := match t with
  | Leaf x => size_drive x
  | Node l q _ _ => let p := K ^+ hard q * gain q * top l + loss in
    match carried l q, live q with
    | true, true => V * (p + top q) + flush
    | true, false => p + flush
    | false, true => top q + (if is_leaf q then flush else 0)
    | false, false => 0 end
  | Store t _ => if live t then (1 + store) * top t + store_loss else 0 end.

Lemma cut l q : honest K V loss flush store store_loss l -> ~~ carried l q ->
  \prod_(x <- steps q) lam x * exact (steps l) = 0 /\ \prod_(x <- steps q) `|lam x| * sizes (steps l) = 0.
Proof.
move=> hl; rewrite negb_and negbK => /orP[dl|st]; first by have [_ -> ->] := dead hl dl; rewrite !mulr0.
by rewrite (stopped (@stops_lam R) st) (stopped (@stops_norm R) st) !mul0r.
Qed.

Theorem near_state t : honest K V loss flush store store_loss t -> near (state t) (exact (steps t)) (top t) (sizes (steps t)).
Proof.
elim: t => [z /andP[_ h]|l IHl q IHq a' b' /=|t IH h].
3: move=> /= /andP[ht]; case: (boolP (live t)) => lt h'; first exact: near_round store0 h' (IH ht).
3: by have [_ -> ->] := dead ht lt; rewrite (eqP h') /near !subrr normr0 lexx.

  by rewrite /exact /sizes /scan /= !mulr0 !add0r; apply: near_read.
move=> /=; case/and4P=> hl hq _; have nl := IHl hl; have nq := IHq hq; have nm := multiplier_near K1 loss0 hq.
rewrite /exact /sizes !scan_cat -!/(exact _) -!/(sizes _) /honest_state; have np := near_prod nm nl.
have kk : rate K (has (@rounds R) (steps q)) * (K ^+ (hard q).-1 * gain q * top l) = K ^+ hard q * gain q * top l.
  by rewrite -(rate_state K q) !mulrA.
have k1 := rate_ge1 K1 (has (@rounds R) (steps q)); move: (rate K _) kk k1 => k kk k1.
case: (boolP (carried l q)) => cr; case: (boolP (live q)) => lq h.
- apply: near_weak (near_step _ _ h np nq) _; rewrite ?subr_ge0 // ?mulr_ege1 // -kk.
  by move: (K ^+ _ * _ * _) => P; rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
- have [z0 e0 s0] := dead hq lq; rewrite e0 s0 !addr0.
  by apply: near_weak (near_round _ h np) _; rewrite ?subr_ge0 // [1 + _]addrC subrK kk addrA.
- have [-> ->] := cut hl cr; rewrite !add0r -[top q]mul1r -[1 in X in near _ _ X]addr0.
  by apply: near_round nq => //; rewrite mul0r add0r.
have [-> ->] := cut hl cr; have [_ -> ->] := dead hq lq; rewrite (eqP h) !addr0.
by rewrite /near !subr0 normr0 lexx.
Qed.

(* counts of a bracketing *)
Definition chosen (A : Type) (l q : tree R) (both left right none : A) :=
  match carried l q, live q with true, true => both | true, false => left | false, true => right | false, false => none end.
Fixpoint depth t : nat := match t with Leaf _ => 0
  | Node l q _ _ => chosen l q (maxn (depth l) (depth q)).+1 (depth l) (depth q) 0%N | Store t _ => depth t end.
Fixpoint stores t : nat := match t with Leaf _ => 0      (* on one path, and in all *)
  | Node l q _ _ => chosen l q (maxn (stores l) (stores q)) (stores l) (stores q) 0%N | Store t _ => live t + stores t end.
Fixpoint writes t : nat := match t with Leaf _ => 0
  | Node l q _ _ => chosen l q (writes l + writes q)%N (writes l) (writes q) 0%N | Store t _ => live t + writes t end.
Fixpoint products t : nat := match t with Leaf _ => 0
  | Node l q _ _ => chosen l q (products l + products q).+1 (products l).+1 (products q) 0%N | Store t _ => products t end.
Fixpoint sums t : nat := match t with Leaf _ => 0
  | Node l q _ _ => chosen l q (sums l + sums q).+1 (sums l).+1 (is_leaf q + sums q)%N 0%N | Store t _ => sums t end.
Fixpoint since t : nat := match t with Leaf _ => 0
  | Node l q _ _ => if carried l q then (since l + n q)%N else since q | Store t _ => since t end.
Fixpoint total t : R := match t with Leaf x => size_drive x
  | Node l q _ _ => if carried l q then total l + total q else total q | Store t _ => total t end.
Definition losses t := total t + loss *+ products t + flush *+ sums t + store_loss *+ writes t.
Definition Y s := scan (fun x => rate K (rounds x) * size_lam x) (@size_drive R) 0 s.

Lemma size_drive_ge0 z : 0 <= @size_drive R z. Proof. by rewrite addr_ge0 ?ddrive_ge0. Qed.
Lemma total_ge0 t : 0 <= total t.
Proof. by elim: t => [z|l hl q hq a b|//] /=; [apply: size_drive_ge0 | case: ifP => // _; rewrite addr_ge0]. Qed.
Lemma total_losses t : total t <= losses t.
Proof. by rewrite /losses -!addrA ler_addl !addr_ge0 // mulrn_wge0. Qed.
Lemma since_lt t : (since t < n t)%N.
Proof.
elim: t => // l hl q hq a b; rewrite n_node /=; case: ifP => _; first by rewrite ltn_add2r.
by rewrite (leq_trans hq) // leq_addl.
Qed.

Lemma Y_node s p : Y (s ++ p) = K ^+ count (@rounds R) p * power p * Y s + Y p.
Proof.
rewrite /Y scan_cat; congr (_ * _ + _); elim: p => [|x p IH]; first by rewrite /power !big_nil mul1r.
rewrite /power !big_cons {}IH /= exprD /power; case: (rounds x) => /=; ring.
Qed.
Lemma Y_ge0 s : 0 <= Y s.
Proof.
rewrite /Y; elim/last_ind: s => [|s x IH]; first exact: lexx.
by rewrite /scan foldl_rcons addr_ge0 ?size_drive_ge0 // !mulr_ge0 ?rate_ge0 ?size_lam_ge0.
Qed.
Lemma dead_leaf z : ~~ some z -> @size_drive R z = 0.
Proof. by rewrite negbK /size_drive => /and3P[/eqP -> _ /eqP ->]; rewrite normr0 addr0. Qed.
Lemma stopped_power s : has (@stops R) s -> power s = 0.
Proof. by apply: stopped => x /and3P[/eqP E _ /eqP D]; rewrite /size_lam E D normr0 addr0. Qed.
Lemma Y_cut l q : (~~ live l -> Y (steps l) = 0) -> ~~ carried l q -> K ^+ hard q * power (steps q) * Y (steps l) = 0.
Proof. by move=> D; rewrite negb_and negbK => /orP[/D ->|/stopped_power ->]; rewrite ?mulr0 // mul0r. Qed.
Lemma not_live t : ~~ live t -> [/\ top t = 0, total t = 0 & Y (steps t) = 0].
Proof.
elim: t => [z /dead_leaf D|l IHl q IHq a b /=|t IH h].
3: by move=> /= D; have [_ -> ->] := IH D; rewrite (negPf D).
  by rewrite /Y /scan /= mulr0 add0r D.
rewrite negb_or -/(carried l q) => /andP[dq cr]; have [tq oq yq] := IHq dq.
rewrite (negPf cr) (negPf dq) Y_node yq addr0 -/(hard q) Y_cut // => D; by have [] := IHl D.
Qed.
End State.
