#!/bin/sh
# PostgreSQL, made at the first start as the official image does it: its scripts run before anybody can reach it.
set -eu
export PGDATA=/var/lib/postgresql/18/docker PGHOST=/run/postgresql
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA"
    printf '%s' "$POSTGRES_PASSWORD" >/tmp/password
    initdb --username=postgres --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C
    rm /tmp/password
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    pg_ctl -w -o "-c listen_addresses='' -c unix_socket_directories=$PGHOST" start
    for each in /docker-entrypoint-initdb.d/*.sh; do
        "$each"
    done
    pg_ctl -w -m fast stop
fi
exec postgres -c listen_addresses='*' -c "unix_socket_directories=$PGHOST"
