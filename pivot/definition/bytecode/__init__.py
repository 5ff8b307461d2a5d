"""What importing a module does, statement by statement, told from its bytecode: nothing runs."""
