"""Who may come in, and how much they may bring: keys, host names, sizes, times, and how many at once."""
