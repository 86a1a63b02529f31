"""How people come in: passwords and the city's identity provider, sessions kept by a cookie."""
