"""Growth past one machine: lines are performed by the replicas of a Ray Serve deployment (extra `ray`).

A gateway owns the sockets, sessions and open texts; a replica holds voices, the mouth and faces. `orders` is what
crosses between them, `part` and `desk` are a line and a gateway as a replica sees them, `remote` and `links` a line and
a replica as the gateway sees them, `routing` says which replica performs, `scaling` how many there are.
"""
