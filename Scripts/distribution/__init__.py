"""The package: executables with what belongs to them, as an archive and for Debian, made of the same bytes each time."""
