"""Values in, tables or JSON out; what a person or a program sees."""
