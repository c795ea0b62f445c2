"""How each language writes days and numbers, where Django's own way is not ours."""
