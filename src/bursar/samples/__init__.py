"""Sample data: made-up accounts in the venues' own formats, to try the program on."""
