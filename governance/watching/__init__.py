"""What does somebody's own script do with votes, seen from inside its process and without an edit?

Everything here that runs before the script does imports the standard library alone, changes no answer of what it watches,
draws from no random generator of the process, and turns each fault of its own into one line.
"""
