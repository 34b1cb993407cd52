"""Who is owed, runs and their lines, the passbook, objections."""
