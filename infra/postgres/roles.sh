#!/bin/sh
# Runs once, when the database is made. Nobody but people signs in as the superuser: the tables belong to `threadline`,
# and services sign in as `threadline_service`, whom row-level security binds.
set -eu

psql --username "${POSTGRES_USER:-postgres}" --dbname postgres --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
    --set owner_password="$OWNER_PASSWORD" --set service_password="$SERVICE_PASSWORD" <<'SQL'
create role threadline login nosuperuser nobypassrls password :'owner_password';
create role threadline_service login nosuperuser nobypassrls password :'service_password';
create database threadline owner threadline;
revoke connect on database threadline from public;
grant connect on database threadline to threadline_service;
SQL
