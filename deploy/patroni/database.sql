-- Once, on the primary: psql -v password=... -f database.sql
CREATE ROLE stillhere LOGIN PASSWORD :'password';
CREATE DATABASE stillhere OWNER stillhere;
