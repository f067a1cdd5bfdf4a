module millrace.example/rank

go 1.24
