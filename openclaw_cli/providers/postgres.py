"""PostgreSQL: a role's password, or a connection URL that holds it."""

from __future__ import annotations

from openclaw_cli.providers.provider import ANYTHING, CHOSEN, Provider


class Postgres(Provider):
    name = "postgres"
    title = "PostgreSQL"
    variables = ("PGPASSWORD", "POSTGRES_PASSWORD", "POSTGRES_URL", "POSTGRESQL_URL")
    distinct = (rb"postgres(?:ql)?(?:\+[a-z0-9]+)?://[^\s/:@]*:[^\s/@]+@\S+",)
    plausible = (ANYTHING,)
    looks = "a password or a postgresql:// URL"
    page = "https://www.postgresql.org/docs/current/sql-alterrole.html"
    rotation = CHOSEN
    rotator = "postgres"
    how = "ALTER ROLE sets a password that we choose"
