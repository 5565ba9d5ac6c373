"""From one file of a provider to the folder of an adapter that is checked and answers: what `lgsp add` does."""
