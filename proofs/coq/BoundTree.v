(* A scan in floating arithmetic: any bracketing, with what its operations computed recorded at its nodes.

   The class of evaluations is a predicate, `honest`, not a function: two products of the same numbers may round differently (as
   with compilers that fuse some), no operation is assumed deterministic, and nothing is assumed of numbers that do not occur.
     leaf      one step h -> lam h + drive with the numbers that are read, lam_read within dlam of lam, drive_read within ddrive;
               the first leaf is h0 (its multiplier meets nobody); `rounds`: a product by lam can have a relative error
     Node      an earlier segment l, a later one q, the computed multiplier a' of both and the computed state b'
     Store     a state that is rounded to a narrower format, within store |h| + store_loss
     K, V      1 + beta and (1 + u)^c: a product, a sum      loss, flush     what one product, one sum may lose beside that
   What `honest` demands of the operations at a node (BoundOps.v derives it from hypotheses on single operations):
     multiplier  |a' - a_q a_l| <= beta |a_q a_l| + loss,       without beta if all steps on one side have rounds = false
     state       |b' - (a_q b_l + b_q)| <= (V K - 1)|a_q b_l| + (V - 1)|b_q| + V loss + flush
     exact zeros 0 a = 0; a zero operand does not make a sum round: it costs at most flush, once for a number that is a leaf
   Source: docs/theorem.md; docs/decisions/0003-nonzero-operands.md. In Python: reference/allowance/rounding.py `_bracketing`,
   reference/allowance/magnitudes.py. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Scanproof Require Import BoundNear.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Tree.
Variable R : numDomainType.

Record leaf := Step {
  lam : R; lam_read : R; dlam : R; drive : R; drive_read : R; ddrive : R; rounds : bool;
  dlam_ge0 : 0 <= dlam; ddrive_ge0 : 0 <= ddrive }.
Inductive tree := Leaf of leaf | Node of tree & tree & R & R | Store of tree & R.

Fixpoint multiplier t := match t with Leaf x => lam_read x | Node _ _ a _ => a | Store t _ => multiplier t end.
Definition state t := match t with Leaf x => drive_read x | Node _ _ _ b => b | Store _ h => h end.
Fixpoint steps t := match t with Leaf x => [:: x] | Node l q _ _ => steps l ++ steps q | Store t _ => steps t end.

(* exact zeros, known to be zero when they are read *)
Definition some x := ~~ [&& drive x == 0, drive_read x == 0 & ddrive x == 0].
Definition stops x := [&& lam x == 0, lam_read x == 0 & dlam x == 0].
Fixpoint live t := match t with Leaf x => some x | Node l q _ _ => live q || live l && ~~ has stops (steps q)
  | Store t _ => live t end.
Definition carried l q := live l && ~~ has stops (steps q).
Fixpoint is_leaf t := match t with Leaf _ => true | Node _ _ _ _ => false | Store t _ => is_leaf t end.

Variables K V loss flush store store_loss : R.
Definition rate (b : bool) := if b then K else 1.

Definition honest_multiplier l q a' :=
  if has stops (steps l) || has stops (steps q) then a' == 0
  else `|a' - multiplier q * multiplier l| <=
       (rate (has rounds (steps l) && has rounds (steps q)) - 1) * `|multiplier q * multiplier l| + loss.
Definition honest_state l q b' :=
  let p := multiplier q * state l in let k := rate (has rounds (steps q)) in
  match carried l q, live q with
  | true, true => `|b' - (p + state q)| <= (V * k - 1) * `|p| + (V - 1) * `|state q| + (V * loss + flush)
  | true, false => `|b' - p| <= (k - 1) * `|p| + (loss + flush)
  | false, true => `|b' - state q| <= if is_leaf q then flush else 0
  | false, false => b' == 0
  end.
Fixpoint honest t := match t with
  | Leaf x => (`|lam_read x - lam x| <= dlam x) && (`|drive_read x - drive x| <= ddrive x)
  | Node l q a' b' => [&& honest l, honest q, honest_multiplier l q a' & honest_state l q b']
  | Store t h => honest t && if live t then `|h - state t| <= store * `|state t| + store_loss else h == 0 end.

(* the scan y -> g_t y + s_t of the steps, from y on: exact states and every size are such scans *)
Definition scan (g s : leaf -> R) y xs := foldl (fun y x => g x * y + s x) y xs.
Definition exact xs := scan lam drive 0 xs.
Definition size_lam x := `|lam x| + dlam x.
Definition size_drive x := `|drive x| + ddrive x.
Definition sizes xs := scan (fun x => `|lam x|) (fun x => `|drive x|) 0 xs.        (* X *)
Definition power xs := \prod_(x <- xs) size_lam x.                                 (* product of |lam| that are read *)

Lemma scan_from g s y xs : scan g s y xs = \prod_(x <- xs) g x * y + scan g s 0 xs.
Proof.
elim: xs y => [|x xs IH] y /=; first by rewrite big_nil mul1r addr0.
by rewrite [LHS]IH big_cons [in RHS]IH mulr0 add0r mulrDr addrA; congr (_ + _ + _); rewrite mulrCA mulrA.
Qed.
Lemma scan_cat g s xs ys : scan g s 0 (xs ++ ys) = \prod_(x <- ys) g x * scan g s 0 xs + scan g s 0 ys.
Proof. by rewrite {1}/scan foldl_cat -/(scan _ _ _ _) scan_from. Qed.

Lemma stopped (g : leaf -> R) xs : (forall x, stops x -> g x = 0) -> has stops xs -> \prod_(x <- xs) g x = 0.
Proof.
move=> g0; elim: xs => //= x xs IH; rewrite big_cons => /orP[/g0 ->|/IH ->]; by rewrite ?mul0r ?mulr0.
Qed.
Lemma stops_lam x : stops x -> lam x = 0. Proof. by case/and3P=> /eqP. Qed.
Lemma stops_norm x : stops x -> `|lam x| = 0. Proof. by move/stops_lam->; rewrite normr0. Qed.

(* a segment whose operands are all zero, or killed by a zero multiplier *)
Lemma dead t : honest t -> ~~ live t -> [/\ state t = 0, exact (steps t) = 0 & sizes (steps t) = 0].
Proof.
elim: t => [x|l IHl q IHq a' b'|t IH h] /=.
3: by case/andP=> /IH I + D; rewrite (negPf D) => /eqP ->; have [] := I D.
  by rewrite negbK /exact /sizes /scan /= !mulr0 !add0r => _ /and3P[/eqP -> /eqP -> _]; rewrite normr0.
case/and4P=> hl hq _; rewrite negb_or /honest_state /carried => hs /andP[dq]; have [sq eq zq] := IHq hq dq.
rewrite /exact /sizes !scan_cat -!/(exact _) -!/(sizes _) eq zq !addr0.
rewrite negb_and negbK (negPf dq) in hs *; case: (boolP (has _ _)) hs => [st|_] hs.
  by rewrite (stopped stops_lam st) (stopped stops_norm st) !mul0r; move: hs; rewrite andbF => /eqP ->.
rewrite orbF => dl; have [_ -> ->] := IHl hl dl; rewrite !mulr0.
by move: hs; rewrite (negPf dl) => /eqP ->.
Qed.
Lemma multiplier_stopped t : honest t -> has stops (steps t) -> multiplier t = 0.
Proof.
elim: t => [x _|l _ q _ a' b'|t IH h] /=; [by rewrite orbF => /and3P[_ /eqP]| |by case/andP=> /IH].
by case/and4P=> _ _; rewrite /honest_multiplier has_cat => h _ s; move: h; rewrite s => /eqP.
Qed.
End Tree.
