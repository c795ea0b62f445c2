"""The outbox: email that leaves, queued in the transaction of its event and delivered later.

It knows neither accounts nor users: an app queues an address, a kind and data, registers what it says about that kind
(`kinds.register`), and points to the outbox's row from a row of its own, if it needs one.
"""
