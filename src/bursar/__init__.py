"""bursar: knows, to the last digit, what a trader owns, what it cost and what it is worth."""
