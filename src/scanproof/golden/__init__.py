"""Golden cases: inputs, exact results and a bound beside every number, as files for any language.

    schema      what a file holds, its id and its canonical text
    collection  what is known of the cases of one system
    recipes/    the cases of each system, and their registry
    drawing     numbers for recipes, the same bits on every machine
    flags       what a case is about, derived from its call
    magnitude   the diagonal recurrence on absolute values, in integers
    making      from a recipe to a case
    store       files: reading strictly, writing
    lint        a file against recomputation by other means
    agreement   what a file holds against what is computed
    answers     what another program is asked and what it sends back, line by line
    judging     answers against cases

The format is told in docs/golden.md.
"""
