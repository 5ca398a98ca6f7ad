-- The brokers' role, made by compose.yaml's PostgreSQL at its first start.
\set password `cat /run/secrets/postgres.password`
CREATE ROLE cloakroom LOGIN PASSWORD :'password';
