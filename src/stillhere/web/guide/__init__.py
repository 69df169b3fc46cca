"""Help now, pages to read, questions, papers, helplines."""
