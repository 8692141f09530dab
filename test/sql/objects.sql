-- What the extension consists of, and who may use it.
CREATE VIEW members AS
	SELECT classid, objid, objsubid
	FROM pg_depend
	WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
		AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'iotdata');

-- every function, with what the planner may do with it
SELECT p.oid::regprocedure AS function, pg_get_function_result(p.oid) AS result,
	provolatile AS volatile, proisstrict AS strict, proparallel AS parallel, procost AS cost,
	prorows AS rows, prosupport AS support
FROM members m JOIN pg_proc p ON p.oid = m.objid
WHERE m.classid = 'pg_proc'::regclass
ORDER BY p.oid::regprocedure::text COLLATE "C";

-- the defaults of its arguments
SELECT p.proname AS function, format_type(p.proargtypes[2], NULL) AS third_argument,
	pg_get_expr(p.proargdefaults, 0) AS defaults
FROM members m JOIN pg_proc p ON p.oid = m.objid
WHERE m.classid = 'pg_proc'::regclass AND p.pronargdefaults > 0
ORDER BY p.proname COLLATE "C", 2;

-- every object is in the schema
SELECT count(*) AS elsewhere
FROM members m
LEFT JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
LEFT JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid
WHERE coalesce(p.pronamespace, t.typnamespace, 'iotdata'::regnamespace) <> 'iotdata'::regnamespace;

-- every object has a comment, and so has every column
SELECT pg_describe_object(classid, objid, 0) AS without_comment
FROM members
WHERE obj_description(objid, classid::regclass::name) IS NULL
	AND NOT (classid = 'pg_type'::regclass AND objid IN
		(SELECT typarray FROM pg_type WHERE typarray <> 0
		UNION ALL SELECT reltype FROM pg_class WHERE relkind <> 'c'));
SELECT c.relname, a.attname AS without_comment
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'iotdata'::regnamespace AND c.relkind IN ('r', 'v', 'c') AND a.attnum > 0
	AND col_description(c.oid, a.attnum) IS NULL;

-- nobody but the owner has any function or relation until it is granted
SELECT p.oid::regprocedure AS public_function
FROM members m JOIN pg_proc p ON p.oid = m.objid
WHERE m.classid = 'pg_proc'::regclass
	AND EXISTS (SELECT 1 FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0);
SELECT relname AS public_relation
FROM pg_class
WHERE relnamespace = 'iotdata'::regnamespace AND relkind <> 'c'
	AND EXISTS (SELECT 1 FROM aclexplode(coalesce(relacl, acldefault('r', relowner))) WHERE grantee = 0);
CREATE ROLE regress_iotdata_user;
GRANT USAGE ON SCHEMA iotdata TO regress_iotdata_user;
SET ROLE regress_iotdata_user;
SELECT iotdata.get_connection('a');
SELECT iotdata.get_connection_result('a');
SELECT iotdata.get_connections('{a}');
SELECT iotdata.cache_reset();
SELECT iotdata.list_subscriptions('a');
SELECT iotdata.send_direct_message('a', 'b');
SELECT iotdata.delete_connection('a');
SELECT iotdata.target_info();
SELECT iotdata.stat_calls();
SELECT * FROM iotdata.stat_calls;
SELECT iotdata.stat_cache();
SELECT * FROM iotdata.stat_cache;
SELECT iotdata.stat_progress();
SELECT * FROM iotdata.stat_progress;
SELECT iotdata.stat_reset();
RESET ROLE;
GRANT EXECUTE ON FUNCTION iotdata.get_connection(text, boolean, interval, name) TO regress_iotdata_user;
SET ROLE regress_iotdata_user;
SELECT iotdata.get_connection(NULL) IS NULL AS allowed;
RESET ROLE;
DROP OWNED BY regress_iotdata_user;

-- who may read all statistics may read these, and nothing else
GRANT pg_read_all_stats TO regress_iotdata_user;
SET ROLE regress_iotdata_user;
SELECT count(*) >= 0 AS allowed FROM iotdata.stat_calls;
SELECT count(*) >= 0 AS allowed FROM iotdata.stat_calls();
SELECT count(*) = 1 AS allowed FROM iotdata.stat_cache;
SELECT count(*) = 1 AS allowed FROM iotdata.stat_cache();
SELECT count(*) >= 0 AS allowed FROM iotdata.stat_progress;
SELECT count(*) >= 0 AS allowed FROM iotdata.stat_progress();
SELECT iotdata.stat_reset();
SELECT iotdata.cache_reset();
SELECT iotdata.get_connection(NULL);
RESET ROLE;
DROP ROLE regress_iotdata_user;

-- its foreign-data wrapper reads no tables, and belongs to its owner
SELECT fdwname, fdwhandler::regproc AS handler, fdwvalidator::regproc AS validator,
	has_foreign_data_wrapper_privilege('pg_monitor', oid, 'USAGE') AS anybodys
FROM pg_foreign_data_wrapper;

-- it can be dropped, made again, and not moved
DROP VIEW members;
DROP EXTENSION iotdata;
SELECT count(*) AS left_behind FROM pg_proc WHERE pronamespace = 'iotdata'::regnamespace;
CREATE EXTENSION iotdata;
ALTER EXTENSION iotdata SET SCHEMA public;
