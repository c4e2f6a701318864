"""What a user can call, one file a command. The work is imported when it is asked for."""
