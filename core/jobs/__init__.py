"""What keeps the queue going: what failed is noted, what a dead worker left is done again, what is old goes."""
