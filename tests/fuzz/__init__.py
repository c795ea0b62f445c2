"""A crawler by role and a fuzzer, against gunicorn on loopback with the demo's data: `make fuzz N=20000 SEED=7`."""
