"""What votes in this project? One module a source or a small family, one YAML description a source."""
