"""What is read from the repository: snippets, resources and what belongs to them, checked."""
