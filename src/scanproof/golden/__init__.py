"""Golden cases: inputs, their exact states and a bound beside every number, as files that any language can read (docs/golden.md).

    schema      what a file holds, its id and its canonical text
    flags       what a case is about, derived from its inputs
    magnitude   the recurrence on absolute values, in integers
    cases       the recipes that the published cases are made from
    making      from a recipe to a case
    store       files: reading strictly, writing
    lint        a file against recomputation by other means
    answers     what another program sends back, line by line
    judging     answers against cases
"""
