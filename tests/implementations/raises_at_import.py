"""Cannot be imported."""

raise ZeroDivisionError("at import\nwith a second line")
