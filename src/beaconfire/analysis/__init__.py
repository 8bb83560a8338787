"""What sharing buys: metrics, summaries, tables."""
