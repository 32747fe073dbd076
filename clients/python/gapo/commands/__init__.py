"""Commands that the client itself brings."""
