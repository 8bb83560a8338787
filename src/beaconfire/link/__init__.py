"""The pure protocol of a link: outbox, receipts, order, liveness."""
