"""One store in SQL, one schema, two dialects: SQLite by the standard library, PostgreSQL by psycopg."""
