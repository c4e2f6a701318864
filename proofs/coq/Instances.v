(* The hypotheses of the rounding theorems can be met, so that the theorems say something: by exact arithmetic in every
   bracketing, whatever is granted; and by evaluations that do round. Numbers of these are integers, and an operation may be off
   by as much as its result (u = beta = 1) and lose 1 (loss = flush = 1): the smallest arithmetic in which an error is seen.
   Nothing relies on it but the reader. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Scanproof Require Import BoundNear BoundTree BoundMultiplier BoundState BoundTop BoundCount BoundTheorem BoundOps.
From Scanproof Require Recurrence Circuit CircuitSum.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem exact_is_honest (R : numDomainType) (beta V loss flush store store_loss : R) (b : shape R) :
  0 <= beta -> 1 <= V -> 0 <= loss -> 0 <= flush -> 0 <= store -> 0 <= store_loss -> read xpred0 b ->
  honest (1 + beta) V loss flush store store_loss (evaluated *%R (fun a h x => a * h + x) id b).
Proof.
move=> beta0 V1 loss0 flush0 store0 store_loss0.
have V0 := le_trans ler01 V1; have v0 : 0 <= V - 1 by rewrite subr_ge0.
have zero (a h : R) : (a == 0) || (h == 0) -> a * h = 0 by case/orP=> /eqP ->; rewrite ?mul0r ?mulr0.
have lost : 0 <= V * loss + flush by rewrite addr_ge0 // mulr_ge0.
apply: (@evaluated_honest R beta V loss flush store store_loss xpred0 beta0 V0 _ _ _ _ _ _ _ _ _ xpredT) => //=.
- by move=> z w; rewrite subrr normr0 addr_ge0 // mulr_ge0.
- by move=> a h x; rewrite subrr normr0 !addr_ge0 ?mulr_ge0 // subr_ge0 mulr_ege1 // ler_addl.
- by move=> a h; rewrite addr0 subrr normr0 /k /= addrAC subrr add0r addr_ge0 ?mulr_ge0 // addr_ge0.
- by move=> a h x /zero ->; rewrite add0r subrr normr0.
- by move=> a h x /zero ->; rewrite add0r.
- by move=> a h /zero ->; rewrite add0r.
by move=> x; rewrite subrr normr0 addr_ge0 // mulr_ge0.
Qed.

Notation ints := [numDomainType of int].
(* h -> 2 h + 3 from 1, twice: 5 and 13, and one multiplier, 4; computed as 17 and 5 *)
Definition step : leaf ints := Step 2%:Z 2%:Z 3%:Z 3%:Z true (lexx 0) (lexx 0).
Definition start : leaf ints := Step 0 0 1 1 true (lexx 0) (lexx 0).
Definition tree_of_three := Node (Leaf start) (Node (Leaf step) (Leaf step) 5%:Z 10%:Z) 0 17%:Z.
Theorem rounding_met : [/\ honest (1 + 1) ((1 + 1) ^+ 1) 1 1 0 0 tree_of_three,
  [/\ stores tree_of_three = 0%N, writes tree_of_three = 0%N & 0 < losses (1 : ints) 1 0 tree_of_three],
  state tree_of_three = 17%:Z & exact (steps tree_of_three) = 13%:Z].
Proof. by split; vm_compute. Qed.

Definition one_step := Recurrence.Record step 5%:Z false 3%:Z 6%:Z 6%:Z.
Theorem sequential_met : [/\ Recurrence.honest 1 1 1 1 0 0 1 1 [:: one_step], Recurrence.known 1 [:: one_step],
  Recurrence.computed 1 [:: one_step] = 6%:Z & Recurrence.exact 1 [:: one_step] = 5%:Z].
Proof. by split; vm_compute. Qed.

Definition leaves (i : nat) : ints := i.+1%:Z.
Definition program : seq (Circuit.instruction ints unit) := [:: Circuit.Read unit 1 2%:Z 1;
  Circuit.Mul unit 0 0 5%:Z; Circuit.Add unit 0 1 8%:Z].
Theorem counted_met : let run := Circuit.run (R := ints) 1 1 0 0 leaves (fun=> 1) (fun=> id) [::] program in
  [/\ Circuit.honest_run 1 1 0 0 leaves (fun=> 1) (fun=> id) [::] program,
  all (Circuit.relative (R:=ints) leaves (fun=> 1) (F:=unit)) program,
  Circuit.computed (last (Circuit.none ints) run) = 8%:Z & Circuit.exact (last (Circuit.none ints) run) = 6%:Z].
Proof. by split; vm_compute. Qed.

Definition one := CircuitSum.One (CircuitSum.Addend (1 : ints) 2%:Z 1 1).
Definition sum_of_three := CircuitSum.Plus (CircuitSum.Plus one one 5%:Z) one 8%:Z.
Theorem open_sum_met : [/\ CircuitSum.honest 1 1 sum_of_three, CircuitSum.computed sum_of_three = 8%:Z
  & CircuitSum.total (@CircuitSum.value ints) sum_of_three = 3%:Z].
Proof. by split; rewrite // /CircuitSum.total /= !big_cons big_nil. Qed.

Theorem product_met : exists a' b' z : ints, [/\ `|a' - 2%:Z| <= 1, `|b' - 3%:Z| <= 1,
  `|z - a' * b'| <= 1 * `|a' * b'| + 1 & z != 2%:Z * 3%:Z].
Proof. by exists 3%:Z, 4%:Z, 13%:Z. Qed.
