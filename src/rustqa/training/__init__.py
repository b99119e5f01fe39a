"""How the weights that rustqa ships were fitted; never imported when a question is asked."""
