"""What a user can call, one file a command: arguments, options and help. The work is imported when it is asked for."""
