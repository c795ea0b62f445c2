"""The outbox: outgoing email, queued in the transaction of the event it reports and delivered later.

It doesn't know accounts or users. An app queues an address, a kind and data, registers the code that words this kind
(`kinds.register`), and can refer to the outbox's row from a row of its own.
"""
