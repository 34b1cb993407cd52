"""Bank files, references and deadlines. Pure."""
