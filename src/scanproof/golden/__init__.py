"""Golden cases: inputs, their exact results and a bound beside every number, as files for any language (docs/golden.md).

    schema      what a file holds, its id and its canonical text
    flags       what a case is about, derived from its inputs
    magnitude   the recurrence on absolute values, in integers
    cases       the recipes that the published cases are made from
    making      from a recipe to a case
    store       files: reading strictly, writing
    lint        a file against recomputation by other means
    agreement   what a file holds against what is computed
    answers     what another program sends back, line by line
    judging     answers against cases

Of layers, layer_schema, layer_flags, layer_drawing, layer_cases, layer_making and layer_lint do what these do for scans.
"""
