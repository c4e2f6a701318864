(* Which floating operations make an evaluation `honest`: what the rounding theorem assumes of an arithmetic.

   In words: multiply, add (or one step a h + x in any fused form) satisfy
     |fl(z w) - z w| <= beta |z w| + loss, without beta if z or w is a power of two; 0 w = z 0 = 0
     |fl(x + y) - (x + y)| <= u |x + y| + flush; with an exact zero at most flush, and nothing for the result of a step
   then every bracketing evaluated with them is honest, so that BoundTheorem.v applies (`evaluated_honest`, any `step`).
     separate     a product, then a sum: c = 1
     fused        |fl(a h + x) - (a h + x)| <= u |a h + x| + loss: c = 1
     contracted   |fl(a h + x) - (a h + x)| <= beta |a h| + ((1 + u)^2 - 1)|x| + loss: c = 2 (complex products)
   All this is asked of all numbers, so that no format with a largest exponent satisfies it: evaluations that do not overflow
   are meant. Which do not is decided beside the theorem, in words (docs/theorem.md, Overflow).
   Not proved here: beta of complex products (reference/arithmetic/operations.py). sqrt 2 ((1+u)^3 - 1) is that of Gappa's components
   (proofs/gappa/gappa_layer.py) in ComplexProduct.v; sqrt 5 u is cited, 4/sqrt 3 u proved there. Source: docs/theorem.md. In Python:
   reference/arithmetic/operations.py `Roundings`; tests/proofs/test_tiny.py evaluates these hypotheses on every operand of tiny formats. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From Scanproof Require Import BoundNear BoundTree BoundMultiplier.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Steps.
Variables (R : numDomainType) (k V u loss flush : R).          (* k = 1 + beta, or 1 *)
Hypotheses (k1 : 1 <= k) (u0 : 0 <= u) (loss0 : 0 <= loss) (flush0 : 0 <= flush).

Theorem separate (p' s' p x : R) : V = 1 + u -> `|p' - p| <= (k - 1) * `|p| + loss -> `|s' - (p' + x)| <= u * `|p' + x| + flush ->
  `|s' - (p + x)| <= (V * k - 1) * `|p| + (V - 1) * `|x| + (V * loss + flush).
Proof.
move=> -> hp hs; have np := near_round (e := loss) (X' := `|p|) (X := `|p|) _ hp (near_exact p).
have np1 : near p' p (k * `|p| + loss) `|p| by have := np _; rewrite subr_ge0 [1 + _]addrC subrK; apply.
have := near_round u0 hs (near_sum np1 (near_exact x)) => /andP[h _]; apply: le_trans h _.
by rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
Qed.

Theorem fused (s' p x : R) : V = 1 + u -> `|s' - (p + x)| <= u * `|p + x| + loss ->
  `|s' - (p + x)| <= (V * k - 1) * `|p| + (V - 1) * `|x| + (V * loss + flush).
Proof.
move=> -> /le_trans; apply; have h := ler_wpmul2l u0 (ler_norm_add p x).
apply: (le_trans (ler_add h (lexx _))); rewrite -subr_ge0.
have -> : ((1 + u) * k - 1) * `|p| + (1 + u - 1) * `|x| + ((1 + u) * loss + flush) - (u * (`|p| + `|x|) + loss) =
  (k - 1) * (1 + u) * `|p| + u * loss + flush by ring.
have k0 : 0 <= k - 1 by rewrite subr_ge0.
by rewrite !addr_ge0 ?mulr_ge0 // addr_ge0.
Qed.

Theorem contracted (s' p x : R) : V = (1 + u) ^+ 2 -> `|s' - (p + x)| <= (k - 1) * `|p| + (V - 1) * `|x| + loss ->
  `|s' - (p + x)| <= (V * k - 1) * `|p| + (V - 1) * `|x| + (V * loss + flush).
Proof.
move=> E /le_trans; apply; have V1 : 0 <= V - 1 by rewrite E subr_ge0 exprn_ege1 // ler_addl.
rewrite -subr_ge0; move: (`|x|) (normr_ge0 p) => X; move: (`|p|) => P P0.
have -> : (V * k - 1) * P + (V - 1) * X + (V * loss + flush) - ((k - 1) * P + (V - 1) * X + loss) =
  (V - 1) * k * P + (V - 1) * loss + flush by ring.
by rewrite !addr_ge0 ?mulr_ge0 // (le_trans ler01).
Qed.
End Steps.

Section Evaluation.
Variables (R : numDomainType) (beta V loss flush store store_loss : R) (exact_factor : R -> bool).      (* powers of two *)
Hypotheses (beta0 : 0 <= beta) (V0 : 0 <= V) (loss0 : 0 <= loss) (flush0 : 0 <= flush).
Variables (mul : R -> R -> R) (step : R -> R -> R -> R) (keep : R -> R).       (* z w;  a h + x;  x stored *)
Definition k a := if exact_factor a then 1 else 1 + beta.
Hypothesis mulP : forall z w, `|mul z w - z * w| <= (if exact_factor z || exact_factor w then 0 else beta) * `|z * w| + loss.
Hypothesis factorP : forall z w, exact_factor z -> exact_factor w -> exact_factor (mul z w).
Hypothesis mul0 : forall z w, (z == 0) || (w == 0) -> mul z w = 0.
Hypothesis stepP : forall a h x, `|step a h x - (a * h + x)| <= (V * k a - 1) * `|a * h| + (V - 1) * `|x| + (V * loss + flush).
Hypothesis step_product : forall a h, `|step a h 0 - a * h| <= (k a - 1) * `|a * h| + (loss + flush).
Hypothesis step_zero : forall a h x, (a == 0) || (h == 0) -> `|step a h x - x| <= flush.
(* results of steps, stored or not, add to zero as they are *)
Variable formed : R -> bool.
Hypothesis step_formed : forall a h x, formed (step a h x).
Hypothesis keep_formed : forall x, formed x -> formed (keep x).
Hypothesis step_twice : forall a h x, (a == 0) || (h == 0) -> formed x -> step a h x = x.
Hypothesis step_zeros : forall a h, (a == 0) || (h == 0) -> step a h 0 = 0.
Hypothesis keepP : forall x, `|keep x - x| <= store * `|x| + store_loss.
Hypothesis keep0 : keep 0 = 0.

Inductive shape := Read of leaf R | Both of shape & shape | Keep of shape.
Fixpoint evaluated b : tree R := match b with Read x => Leaf x
  | Both l q => let L := evaluated l in let Q := evaluated q in
      Node L Q (mul (multiplier Q) (multiplier L)) (step (multiplier Q) (state L) (state Q))
  | Keep b => let t := evaluated b in Store t (keep (state t)) end.
Fixpoint read b := match b with
  | Read x => [&& `|lam_read x - lam x| <= dlam x, `|drive_read x - drive x| <= ddrive x & rounds x || exact_factor (lam_read x)]
  | Both l q => read l && read q
  | Keep b => read b end.

Lemma factor b : read b -> ~~ has (@rounds R) (steps (evaluated b)) -> exact_factor (multiplier (evaluated b)).
Proof.
elim: b => [x /and3P[_ _ e]|l IHl q IHq|b IH] /=.
3: exact: IH.
  by rewrite orbF => /negPf r; rewrite r in e.
by move=> /andP[rl rq]; rewrite has_cat negb_or => /andP[hl hq]; rewrite factorP ?IHl ?IHq.
Qed.

Lemma is_formed b : read b -> ~~ is_leaf (evaluated b) -> formed (state (evaluated b)).
Proof. by elim: b => //= b IH rb nl; apply: keep_formed; apply: IH. Qed.

Theorem evaluated_honest b : read b -> honest (1 + beta) V loss flush store store_loss (evaluated b).
Proof.
elim: b => [x /and3P[ha hb _]|l IHl q IHq|b IH] /=; first by rewrite ha.
2: move=> rb; have h := IH rb; rewrite h /=; case: ifP => lt; first exact: keepP.
2: by have [-> _ _] := dead h (negbT lt); rewrite keep0.
case/andP=> rl rq; have hl := IHl rl; have hq := IHq rq; rewrite hl hq /=.
have kk : k (multiplier (evaluated q)) <= rate (1 + beta) (has (@rounds R) (steps (evaluated q))).
  rewrite /k; case: (boolP (has _ _)) => [_|h]; last by rewrite (factor rq h).
  by case: ifP => _ //=; rewrite ler_addl.
apply/andP; split; rewrite /honest_multiplier /honest_state.
  case: ifP => [/orP[st|st]|_].
  - by rewrite mul0 // (multiplier_stopped hl st) eqxx orbT.
  - by rewrite mul0 // (multiplier_stopped hq st) eqxx.
  apply: (le_trans (mulP _ _)); rewrite ler_add2r ler_wpmul2r //.
  case: (boolP (has _ (steps (evaluated l)))) => [_|h]; last by rewrite (factor rl h) orbT /= subrr.
  case: (boolP (has _ (steps (evaluated q)))) => [_|h]; last by rewrite (factor rq h) /= subrr.
  by rewrite /= addrAC subrr add0r; case: ifP.
have zero : ~~ carried (evaluated l) (evaluated q) -> (multiplier (evaluated q) == 0) || (state (evaluated l) == 0).
  rewrite negb_and negbK => /orP[d|st]; first by have [-> _ _] := dead hl d; rewrite eqxx orbT.
  by rewrite (multiplier_stopped hq st) eqxx.
case: ifP => c; case: (boolP (live (evaluated q))) => lq.
- apply: (le_trans (stepP _ _ _)); rewrite !ler_add2r ler_wpmul2r // ler_add2r ler_wpmul2l //.
- have [-> _ _] := dead hq lq; apply: (le_trans (step_product _ _)).
  by rewrite ler_add2r ler_wpmul2r // ler_add2r.
- have z := zero (negbT c); case: ifP => leaf_; first exact: step_zero.
  by rewrite step_twice ?subrr ?normr0 // is_formed ?leaf_.
have [-> _ _] := dead hq lq; rewrite step_zeros //; exact: zero (negbT c).
Qed.
End Evaluation.
