"""MySQL and MariaDB: a user's password, or a connection URL that holds it."""

from __future__ import annotations

from openclaw_cli.providers.provider import ANYTHING, CHOSEN, Provider


class Mysql(Provider):
    name = "mysql"
    title = "MySQL"
    variables = (
        "MYSQL_PWD",
        "MYSQL_PASSWORD",
        "MYSQL_ROOT_PASSWORD",
        "MYSQL_URL",
        "MARIADB_PASSWORD",
        "MARIADB_ROOT_PASSWORD",
    )
    distinct = (rb"(?:mysql|mariadb)(?:\+[a-z0-9]+)?://[^\s/:@]*:[^\s/@]+@\S+",)
    plausible = (ANYTHING,)
    looks = "a password or a mysql:// URL"
    page = "https://dev.mysql.com/doc/refman/8.4/en/alter-user.html"
    rotation = CHOSEN
    rotator = "mysql"
    how = "ALTER USER sets a password that we choose; MySQL can keep the old one valid meanwhile"
