(* H = I - beta k k^T with |k| = 1, any size, real: a contraction exactly for beta in [0, 2], orthogonal exactly for
   beta in {0, 2}; every product of contractions is one; two reflections make a rotation.
   Source: Grazzi et al., arXiv 2411.12537, Proposition 1 (1); DeltaNet's and DeltaProduct's transitions. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Scanproof Require Import Rotation Norm.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Householder.
Variables (R : realFieldType) (n : nat).
Implicit Types (b : R) (k x v : 'cV[R]_n).

Definition unit_column k := k^T *m k = 1%:M.
Definition house b k : 'M[R]_n := 1%:M - b *: (k *m k^T).

Lemma unit_square k : unit_column k -> square k = 1.
Proof. by rewrite /square /inner => ->; rewrite mxE. Qed.

Lemma house_tr b k : (house b k)^T = house b k.
Proof. by rewrite /house linearB /= trmx1 linearZ /= trmx_mul trmxK. Qed.

Lemma house_mul a b k : unit_column k -> house a k *m house b k = house (a + b - a * b) k.
Proof.
move=> k1; rewrite /house mulmxBl mul1mx mulmxBr mulmx1 -scalemxAl -scalemxAr.
rewrite (mulmxA (k *m k^T)) -(mulmxA k) k1 mulmx1 scalerA -addrA -opprD; congr (_ - _).
by rewrite addrC scalerBl scalerDl -addrA [- _ + _]addrC addrA.
Qed.

(* along k the factor is 1 - beta, across it 1 *)
Theorem house_along b k : unit_column k -> house b k *m k = (1 - b) *: k.
Proof. by move=> k1; rewrite /house mulmxBl mul1mx -scalemxAl -mulmxA k1 mulmx1 scalerBl scale1r. Qed.
Theorem house_across b k v : k^T *m v = 0 -> house b k *m v = v.
Proof. by move=> kv; rewrite /house mulmxBl mul1mx -scalemxAl -mulmxA kv mulmx0 scaler0 subr0. Qed.

Lemma square_house b k x : square (house b k *m x) = inner x (house b k *m house b k *m x).
Proof. by rewrite /square -{1}(house_tr b k) inner_tr mulmxA. Qed.

(* what a step takes away: beta (2 - beta) (k^T x)^2 *)
Theorem house_loss b k x : unit_column k ->
  square (house b k *m x) = square x - b * (2%:R - b) * inner k x ^+ 2.
Proof.
move=> k1; rewrite square_house house_mul // /house mulmxBl mul1mx inner_addr; congr (_ + _).
have -> : b + b - b * b = b * (2%:R - b) by rewrite mulrBr mulr_natr mulr2n.
rewrite innerNr -scalemxAl -mulmxA {1}/inner -scalemxAr mxE; congr (- (_ * _)).
by rewrite (mulmxA x^T) mxE big_ord1 -/(inner x k) innerC expr2.
Qed.

Theorem house_contraction b k : unit_column k ->
  0 <= b <= 2%:R <-> (forall x, square (house b k *m x) <= square x).
Proof.
move=> k1; split => [/andP[b0 b2] x|/(_ k)].
  by rewrite house_loss // ler_subl_addr ler_addl mulr_ge0 ?sqr_ge0 // mulr_ge0 // subr_ge0.
rewrite house_loss // -/(square k) unit_square // expr1n mulr1 ler_subl_addr ler_addl => loss.
apply/andP; split; rewrite leNgt; apply/negP => far; move: loss; apply/negP; rewrite -ltNge.
  by rewrite nmulr_rlt0 // subr_gt0 (lt_trans far) ?ltr0n.
by rewrite pmulr_rlt0 ?subr_lt0 // (lt_trans _ far) ?ltr0n.
Qed.

Theorem house_orthogonal b k : unit_column k -> orthogonal (house b k) <-> b = 0 \/ b = 2%:R.
Proof.
move=> k1; split => [hb|]; last first.
  rewrite /orthogonal house_tr house_mul // => -[->|->].
    by rewrite mulr0 subr0 addr0 /house scale0r subr0.
  by rewrite mulr_natl mulr2n subrr /house scale0r subr0.
have /eqP := square_orthogonal k hb; rewrite house_loss // -/(square k) unit_square // expr1n mulr1.
rewrite -subr_eq0 addrC addKr oppr_eq0 mulf_eq0 subr_eq0 => /orP[] /eqP ->; by [left | right].
Qed.

(* any number of factors, each with its own beta in [0, 2] and its own unit k: the norm does not grow *)
Definition contraction (A : 'M[R]_n) := forall x, square (A *m x) <= square x.
Theorem contraction_mul A B : contraction A -> contraction B -> contraction (A *m B).
Proof. by move=> hA hB x; rewrite -mulmxA; apply: le_trans (hA _) (hB _). Qed.

Theorem house_product (s : seq (R * 'cV[R]_n)) :
  (forall bk, List.In bk s -> 0 <= bk.1 <= 2%:R /\ unit_column bk.2) ->
  contraction (foldr (fun bk A => house bk.1 bk.2 *m A) 1%:M s).
Proof.
elim: s => [|bk s IH] good; first by move=> x; rewrite mul1mx.
have [b02 k1] := good bk (or_introl erefl).
by apply: contraction_mul; [apply/house_contraction | apply: IH => c hc; apply: good; right].
Qed.

(* det (I - u v^T) = 1 - v^T u, from [1 v^T; u I] factored in two ways; so det H = 1 - beta *)
Lemma det_rank_one (u v : 'cV[R]_n) : \det (1%:M - u *m v^T) = 1 - inner v u.
Proof.
pose lower := block_mx 1%:M 0 u 1%:M : 'M[R]_(1 + n).
have e : lower *m block_mx 1%:M v^T 0 (1%:M - u *m v^T) = block_mx (1%:M - v^T *m u) v^T 0 1%:M *m lower.
  by rewrite !mulmx_block !mulmx0 !mul0mx !mulmx1 !mul1mx !addr0 !add0r addrC !subrK.
have := congr1 determinant e; rewrite !det_mulmx !det_ublock det_lblock !det1 !mul1r !mulr1 => ->.
by rewrite det_mx11 /inner !mxE.
Qed.

Theorem house_det b k : unit_column k -> \det (house b k) = 1 - b.
Proof.
move=> k1; rewrite /house -[k in k *m _](scale1r k) scalemxAl scalerA mulr1 det_rank_one.
by rewrite /inner -scalemxAr k1 !mxE mulr1.
Qed.

Theorem two_reflections j k : unit_column j -> unit_column k -> special (house 2%:R j *m house 2%:R k).
Proof.
move=> j1 k1; split; first by apply: orthogonal_mul; apply/house_orthogonal => //; right.
by rewrite det_mulmx !house_det // mulr2n opprD addrA subrr sub0r mulrNN mulr1.
Qed.
End Householder.
