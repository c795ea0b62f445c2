"""The product's PostgreSQL roles: what each may do, what makes a database so, and the check of the role in use.

`needs.py` says what each role needs, from the models, the guards and the app configs. `plan.py` compares a database
with that, and returns the statements that are missing. `manage.py make_roles` runs them.
"""
