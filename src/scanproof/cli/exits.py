"""What exit codes mean."""

ACCEPTED, REJECTED, BAD_INPUT, UNDECIDED, BROKEN, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 4, 70, 130
CLOSED = 141  # what a shell says of programs that SIGPIPE ended
OF_VERDICT = {
    "nearest": ACCEPTED,
    "within": ACCEPTED,
    "outside": REJECTED,
    "undecided": UNDECIDED,
}
TOLD = (
    "Exit codes: 0 accepted, 1 rejected, 2 usage or bad input, 3 undecided, "
    "4 the implementation crashed or hung, 70 internal error, 130 interrupted."
)
