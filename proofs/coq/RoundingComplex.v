(* Every T: h_t = lam_t h_{t-1} + x_t in complex binary32, h_0 = 0, with |lam_t| <= 255/256 and |x_t| <= 63/64, is never further
   than 2^-6.5 = 0.0110... from the exact state: the squared distance is at most E2 = 2^-13. A component is computed with four
   roundings, or with three (an FMA in the product). A box of components does not survive a rotation; so Gappa bounds the error
   of one component of one step by eps, and the norm carries it on: |z + w|^2 <= (256/255) |z|^2 + 256 |w|^2, for
   E2 = 2 (256 eps)^2. Underflow is included; nothing overflows, for |computed h_t| < 253.
   Source: as for RoundingReal.v. In Python: reference/allowance/rounding.py grants more than sqrt E2 here (tests/proofs/test_gappa.py). *)
From Coq Require Import Reals Psatz.
From Flocq Require Import Core.
From Gappa Require Import Gappa_tactic.
From Scanproof Require Import Binary32.
Open Scope R_scope.

Definition eps := 1 / 32768.
Definition E2 := 2 * (256 * eps) * (256 * eps).

(* a c - b d + e, a component of a step; the imaginary part is a d - (-b) c + f: changing a sign is exact *)
Definition separate a b c d e := rnd (rnd (rnd (a * c) - rnd (b * d)) + e).
Definition fused a b c d e := rnd (rnd (a * c - rnd (b * d)) + e).

Definition accurate (part : R -> R -> R -> R -> R -> R) := forall a b c d e,
  binary32 a -> binary32 b -> binary32 c -> binary32 d -> binary32 e ->
  Rabs a <= 255/256 -> Rabs b <= 255/256 -> Rabs c <= 253 -> Rabs d <= 253 -> Rabs e <= 63/64 -> Rabs (a * c - b * d) <= 253 ->
  binary32 (part a b c d e) /\ Rabs (part a b c d e - (a * c - b * d + e)) <= eps.

Ltac one_step := unfold accurate, binary32, eps; intros a b c d e ea eb ec ed ee a1 b1 c1 d1 e1 m;
  split; [apply rnd_binary32 | unfold rnd in *; rewrite <- ea, <- eb, <- ec, <- ed, <- ee;
  rewrite <- ea in a1, m; rewrite <- eb in b1, m; rewrite <- ec in c1, m; rewrite <- ed in d1, m; rewrite <- ee in e1; gappa].

Lemma separate_accurate : accurate separate.
Proof. unfold separate; one_step. Qed.

Lemma fused_accurate : accurate fused.
Proof. unfold fused; one_step. Qed.

(* ---- squared norms of (x, y) *)
Definition sq x y := x * x + y * y.

Lemma sq_ge0 x y : 0 <= sq x y.
Proof. unfold sq; nra. Qed.

Lemma sq_turn a b x y : sq (a * x - b * y) (a * y - - b * x) = sq a b * sq x y.
Proof. unfold sq; ring. Qed.

Lemma sq_turn_le a b x y r m : sq a b <= r -> sq x y <= m -> sq (a * x - b * y) (a * y - - b * x) <= r * m.
Proof. intros; rewrite sq_turn; apply Rmult_le_compat; auto using sq_ge0. Qed.

Lemma sq_add x y v w : sq (x + v) (y + w) <= 256/255 * sq x y + 256 * sq v w.
Proof. unfold sq; pose proof (Rle_0_sqr (x - 255 * v)); pose proof (Rle_0_sqr (y - 255 * w)); unfold Rsqr in *; lra. Qed.

Lemma square_le x m : 0 <= m -> x * x <= m * m -> Rabs x <= m.
Proof. intros; rewrite <- (Rabs_right m) by lra; now apply Rsqr_le_abs_0. Qed.

Lemma part_le x y m : 0 <= m -> sq x y <= m * m -> Rabs x <= m /\ Rabs y <= m.
Proof. unfold sq; intros; split; apply square_le; nra. Qed.

Lemma sq_le x y m : Rabs x <= m -> Rabs y <= m -> sq x y <= 2 * (m * m).
Proof.
assert (square : forall z, Rabs z <= m -> z * z <= m * m).
{ intros z hz; rewrite <- (Rabs_right (z * z)), Rabs_mult by (pose proof (Rle_0_sqr z); unfold Rsqr in *; lra).
  apply Rmult_le_compat; auto using Rabs_pos. }
intros hx hy; unfold sq; pose proof (square x hx); pose proof (square y hy); lra.
Qed.

(* ---- the recurrence: lam = a + ib, x = e + if, a state is a pair *)
Fixpoint exact (a b e f : nat -> R) t := match t with O => (0, 0) | S t =>
  let (C, D) := exact a b e f t in (a t * C - b t * D + e t, a t * D - - b t * C + f t) end.
Fixpoint computed part (a b e f : nat -> R) t : R * R := match t with O => (0, 0) | S t =>
  let (c, d) := computed part a b e f t in (part (a t) (b t) c d (e t), part (a t) (- b t) d c (f t)) end.

Definition inputs (a b e f : nat -> R) := forall t, binary32 (a t) /\ binary32 (b t) /\ binary32 (e t) /\ binary32 (f t) /\
  sq (a t) (b t) <= 255/256 * (255/256) /\ sq (e t) (f t) <= 63/64 * (63/64).

(* the exact state is in a disc of radius 252, the computed one is near *)
Definition near (h H : R * R) := binary32 (fst h) /\ binary32 (snd h) /\
  sq (fst H) (snd H) <= 252 * 252 /\ sq (fst h - fst H) (snd h - snd H) <= E2.

Lemma step_near part a b e f h H : accurate part ->
  binary32 a -> binary32 b -> binary32 e -> binary32 f ->
  sq a b <= 255/256 * (255/256) -> sq e f <= 63/64 * (63/64) -> near h H ->
  near (part a b (fst h) (snd h) e, part a (- b) (snd h) (fst h) f)
       (a * fst H - b * snd H + e, a * snd H - - b * fst H + f).
Proof.
destruct h as [c d], H as [C D]; unfold near; simpl; intros good a32 b32 e32 f32 lam1 x1 (c32 & d32 & H1 & h1).
destruct (part_le a b (255/256)) as [al bl]; [lra | exact lam1 |].
destruct (part_le e f (63/64)) as [el fl]; [lra | exact x1 |].
assert (small : sq c d <= 253 * 253).
{ pose proof (sq_add C D (c - C) (d - D)) as s.
  replace (C + (c - C)) with c in s by ring; replace (D + (d - D)) with d in s by ring; unfold E2, eps in h1; lra. }
destruct (part_le c d 253) as [cl dl]; [lra | exact small |].
assert (turned : sq (a * c - b * d) (a * d - - b * c) <= 253 * 253).
{ pose proof (sq_turn_le a b c d _ _ lam1 small); lra. }
destruct (part_le _ _ 253 ltac:(lra) turned) as [rel iml].
destruct (good a b c d e) as [re32 re]; auto.
destruct (good a (- b) d c f) as [im32 im]; auto using opp_binary32; [now rewrite Rabs_Ropp |].
repeat split; auto.
- pose proof (sq_add (a * C - b * D) (a * D - - b * C) e f); pose proof (sq_turn_le a b C D _ _ lam1 H1); lra.
- pose proof (sq_le _ _ _ re im) as local; pose proof (sq_turn_le a b _ _ _ _ lam1 h1) as carried.
  pose proof (sq_add (a * (c - C) - b * (d - D)) (a * (d - D) - - b * (c - C))
    (part a b c d e - (a * c - b * d + e)) (part a (- b) d c f - (a * d - - b * c + f))) as s.
  match type of s with sq ?p ?q <= _ =>
    replace p with (part a b c d e - (a * C - b * D + e)) in s by ring;
    replace q with (part a (- b) d c f - (a * D - - b * C + f)) in s by ring end.
  unfold E2 in *; lra.
Qed.

Lemma every_T part a b e f t : accurate part -> inputs a b e f -> near (computed part a b e f t) (exact a b e f t).
Proof.
intros good given; induction t as [|t IH]; simpl.
- unfold near, sq, E2, eps; simpl; repeat split; try exact zero_binary32; lra.
- destruct (given t) as (a32 & b32 & e32 & f32 & lam1 & x1).
  pose proof (step_near part _ _ _ _ _ _ good a32 b32 e32 f32 lam1 x1 IH) as next.
  destruct (computed part a b e f t), (exact a b e f t); exact next.
Qed.

Definition distance2 (h H : R * R) := sq (fst h - fst H) (snd h - snd H).

Theorem complex_separate a b e f : inputs a b e f -> forall t,
  distance2 (computed separate a b e f t) (exact a b e f t) <= E2.
Proof. intros given t; apply (every_T separate); [exact separate_accurate | exact given]. Qed.

Theorem complex_fused a b e f : inputs a b e f -> forall t,
  distance2 (computed fused a b e f t) (exact a b e f t) <= E2.
Proof. intros given t; apply (every_T fused); [exact fused_accurate | exact given]. Qed.
