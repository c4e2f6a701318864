(* The scan: every bracketing of any number of steps computes one element, and it acts as the loop over the steps does.
     tree, steps t, value t     a bracketing, its steps from first to last, and what it computes
     segment x i j              the steps x_i, ..., x_(j-1) composed
     (A, b)                     the step h -> A h + b; then p q, "p, then q", is (A_q A_p, A_q b_p + b_q)
   `bracketing`, `segment_cut` hold for every associative operator with an identity, `any_bracketing` for the affine one.
   Source: Blelloch, Prefix Sums and Their Applications, CMU-CS-90-190 (1990).
   In Python: proofs/scan/scan_operator.py, proofs/scan/scan_algebra.py; every allowance relies on it. *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Inductive tree (E : Type) := Leaf of E | Node of tree E & tree E.
Fixpoint steps E (t : tree E) := match t with Leaf e => [:: e] | Node l r => steps l ++ steps r end.
Fixpoint value E (op : E -> E -> E) t := match t with Leaf e => e | Node l r => op (value op l) (value op r) end.

Section Monoid.
Variables (E : Type) (op : E -> E -> E) (one : E).
Hypotheses (opA : associative op) (op1 : left_id one op) (opr1 : right_id one op).

Lemma fold_from e s : foldl op e s = op e (foldl op one s).
Proof. by elim: s e => [|x s IH] e /=; rewrite ?opr1 // IH (IH (op one x)) op1 opA. Qed.

Lemma fold_cat s t : foldl op one (s ++ t) = op (foldl op one s) (foldl op one t).
Proof. by rewrite foldl_cat fold_from. Qed.

Theorem bracketing t : value op t = foldl op one (steps t).
Proof. by elim: t => [e|l IHl r IHr] /=; rewrite ?op1 // fold_cat IHl IHr. Qed.

Theorem same_steps_same_value s t : steps s = steps t -> value op s = value op t.
Proof. by rewrite !bracketing => ->. Qed.

(* chunks with a carry, and a sweep of doubling: the steps up to j, then those from j on *)
Definition segment (x : nat -> E) i j := foldl op one [seq x t | t <- iota i (j - i)].
Theorem segment_cut x i j k : (i <= j <= k)%N -> op (segment x i j) (segment x j k) = segment x i k.
Proof.
move=> /andP[ij jk]; rewrite /segment -fold_cat -map_cat; congr (foldl _ _ (map _ _)).
by rewrite -{2}(subnKC ij) -iotaD addnC addnBA // subnK.
Qed.
End Monoid.

Section Affine.
Variables (R : ringType) (n m : nat).
Definition element := ('M[R]_n * 'M[R]_(n, m))%type.
Implicit Types (p q : element) (h : 'M[R]_(n, m)).

Definition compose p q : element := (q.1 *m p.1, q.1 *m p.2 + q.2).
Definition identity : element := (1%:M, 0).
Definition act h p := p.1 *m h + p.2.

Theorem compose_assoc : associative compose.
Proof. by move=> [A a] [B b] [C c]; rewrite /compose /= !mulmxA mulmxDr addrA mulmxA. Qed.
Theorem identity_left : left_id identity compose.
Proof. by move=> [A a]; rewrite /compose /= mulmx1 mulmx0 add0r. Qed.
Theorem identity_right : right_id identity compose.
Proof. by move=> [A a]; rewrite /compose /= !mul1mx addr0. Qed.

Theorem act_compose h p q : act h (compose p q) = act (act h p) q.
Proof. by rewrite /act mulmxDr mulmxA addrA. Qed.

Theorem any_bracketing t h : act h (value compose t) = foldl act h (steps t).
Proof. by elim: t h => [e|l IHl r IHr] h //=; rewrite act_compose IHl IHr foldl_cat. Qed.

(* h_t = A_t h_(t+1) + b_t, from the last step to the first: flip, scan, flip *)
Theorem reverse s h : foldr (fun p x => act x p) h s = foldl act h (rev s).
Proof. by rewrite foldl_rev. Qed.

(* h = W z with A W = W L: the scan in another basis *)
Theorem change_of_basis (A L : nat -> 'M[R]_n) (W : 'M[R]_n) (x z c : nat -> 'M[R]_(n, m)) :
  (forall t, A t *m W = W *m L t) -> x 0%N = W *m z 0%N ->
  (forall t, x t.+1 = A t *m x t + W *m c t) -> (forall t, z t.+1 = L t *m z t + c t) ->
  forall t, x t = W *m z t.
Proof. by move=> AW x0 xS zS; elim=> [//|t IH]; rewrite xS zS IH mulmxDr !mulmxA AW. Qed.
End Affine.
