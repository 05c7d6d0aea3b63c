"""What the commands of this repository share: arguments that are checked, errors in one line."""
