"""The upkeep of the job queue: recording failures, requeueing jobs of dead workers, and deleting expired rows."""
