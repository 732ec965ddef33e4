"""Tasks in the forms of others: SWE-bench's table, Harbor's folders; and whole, as a benchmark's folder."""
