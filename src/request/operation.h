/*
 * operation.h
 *		The operations of the Data Plane, as data.
 *
 * An operation says what each of its arguments is for, where it goes in the
 * request and what it must look like, and which members of the answer make a
 * row. Everything else is the same for all operations, so one more of them is
 * one more table and its SQL function. Source: the service's published model.
 *
 * A member that a table leaves out is zero, and zero is always the choice that
 * does no harm: the tightest quota, no type that an argument may have, no
 * length that it may be. test/unit/operation_test.c holds every table against
 * rules and against the model. No PostgreSQL header is needed here.
 */
#ifndef IOTDATA_REQUEST_OPERATION_H
#define IOTDATA_REQUEST_OPERATION_H

#include <stdbool.h>
#include <stddef.h>

#include "aws/token_bucket.h"

/* What an argument is for. */
typedef enum IotDataRole
{
	IOTDATA_ROLE_SENT,			/* a part of the request, no more */
	IOTDATA_ROLE_SUBJECT,		/* sent: what the operation is about; errors
								 * name it, and a quota may count by it */
	IOTDATA_ROLE_MAX_AGE,		/* not sent: how old a cached answer may be;
								 * without it, none is taken */
	IOTDATA_ROLE_SERVER,		/* not sent: the foreign server whose target
								 * the call goes to */
	IOTDATA_ROLE_WAIT_FLAG,		/* sent: whether the service is to wait for
								 * the device */
	IOTDATA_ROLE_WAIT_TIME		/* sent with that flag only: how long */
} IotDataRole;

/* Where in the request an argument goes. */
typedef enum IotDataLocation
{
	IOTDATA_LOCATION_NONE,		/* nowhere: it is about the call */
	IOTDATA_LOCATION_PATH,		/* the one {label} of the path */
	IOTDATA_LOCATION_QUERY,
	IOTDATA_LOCATION_HEADER,
	IOTDATA_LOCATION_BODY
} IotDataLocation;

/* SQL types that an argument may have, each a bit. */
typedef enum IotDataTypes
{
	IOTDATA_TYPE_TEXT = 1 << 0, /* sent in UTF-8 */
	IOTDATA_TYPE_BYTEA = 1 << 1,	/* sent as it is; in a header in base64 */
	IOTDATA_TYPE_BOOLEAN = 1 << 2,	/* sent as "true" or "false" */
	IOTDATA_TYPE_INTEGER = 1 << 3,
	IOTDATA_TYPE_INTERVAL = 1 << 4, /* sent as a number of seconds */
	IOTDATA_TYPE_JSON = 1 << 5, /* sent as it was written */
	IOTDATA_TYPE_JSONB = 1 << 6,	/* sent compactly; in a header in base64 */
	IOTDATA_TYPE_ENUM = 1 << 7, /* sent as its label */
	IOTDATA_TYPE_NAME = 1 << 8
} IotDataTypes;

/*
 * What text or bytes must look like. Lengths are bytes of UTF-8, at least the
 * argument's "min" and at most its "max". An integer must be from min to max,
 * and so must the seconds of an interval that is sent, without a fraction.
 */
typedef enum IotDataRule
{
	IOTDATA_RULE_BYTES,			/* no more than that */
	IOTDATA_RULE_ONE_LINE,		/* no CR, LF or NUL */
	IOTDATA_RULE_CLIENT_ID,
	IOTDATA_RULE_TOPIC,			/* what a client may be sent */
	IOTDATA_RULE_RESPONSE_TOPIC,
	IOTDATA_RULE_USER_PROPERTIES	/* max: bytes that MQTT takes for them */
} IotDataRule;

typedef struct IotDataArgument
{
	const char *name;			/* as SQL has it */
	const char *location_name;	/* as the API has it; of a body, its member */
	IotDataRole role;
	IotDataLocation location;
	int			types;			/* of IotDataTypes */
	IotDataRule rule;
	size_t		min;
	size_t		max;
	bool		required;
} IotDataArgument;

/* What a member of an answer is on the wire. */
typedef enum IotDataWireType
{
	IOTDATA_WIRE_STRING,
	IOTDATA_WIRE_NUMBER,		/* a whole one; for an interval, seconds */
	IOTDATA_WIRE_BOOLEAN,
	IOTDATA_WIRE_MILLISECONDS,	/* a number: of Unix time */
	IOTDATA_WIRE_BLOB,			/* a string: bytes in base64 */
	IOTDATA_WIRE_JSON_BLOB,		/* a string: JSON in base64 */
	IOTDATA_WIRE_JSON,			/* any value */
	IOTDATA_WIRE_OBSERVED_AT	/* not there: when the answer came */
} IotDataWireType;

/*
 * A column of the row type. Without a member it is all of what a row is made
 * of: the answer's body, or the item of a list.
 */
typedef struct IotDataColumn
{
	const char *member;
	IotDataWireType type;
} IotDataColumn;

/* most that an operation has */
#define IOTDATA_MAX_ARGUMENTS 16
#define IOTDATA_MAX_COLUMNS 16

typedef struct IotDataOperation
{
	const char *name;			/* as the API has it: "GetConnection" */
	const char *function;		/* the SQL function's C function */
	const char *method;
	const char *path;			/* "/connections/{clientId}" */
	IotDataRateKind rate_kind;	/* the quota that it counts against */
	bool		ends_subject;	/* what a read of the subject said is true no
								 * more, or may be not, once it was sent */

	/*
	 * What hints say: the permission that a policy must allow (401, 403), and
	 * what else may be missing then; of an action, why there is nothing to
	 * act on (404), and what to do when it is not known whether it happened.
	 */
	const char *permission;
	const char *forbidden_hint;
	const char *not_found_hint;
	const char *unknown_outcome_hint;

	/* The arguments, in the order of the SQL function's. */
	const IotDataArgument *arguments;
	int			narguments;

	/*
	 * The row's columns, in the order of the row type's. With "items" a row
	 * is made from each element of that member of the answer, which may have
	 * a nextToken. Without columns nothing of the answer is looked at.
	 */
	const IotDataColumn *columns;
	int			ncolumns;
	const char *items;

	/*
	 * Its function returns the subject, the row, and columns for the error
	 * that came in the row's place, if it was the subject's alone.
	 */
	bool		returns_result;

	/* How long the service waits for the device unless told; seconds. */
	int			wait_default;
} IotDataOperation;

extern const IotDataOperation iotdata_operation_get_connection;
extern const IotDataOperation iotdata_operation_get_connection_result;
extern const IotDataOperation iotdata_operation_delete_connection;
extern const IotDataOperation iotdata_operation_list_subscriptions;
extern const IotDataOperation iotdata_operation_send_direct_message;

/* SendDirectMessage as the SQL functions of 1.0 and 1.1 call it. */
extern const IotDataOperation iotdata_operation_send_direct_message_1_0;

/* All of them; the last one is NULL. */
extern const IotDataOperation *const iotdata_operations[];

/*
 * Does it do something, rather than read? What an action is about must be
 * there (404 is an error, for a read it is an empty result), and it is never
 * sent again when it may have happened.
 */
extern bool iotdata_operation_is_action(const IotDataOperation *operation);

/* The argument that has a role (other than SENT), or NULL. */
extern const IotDataArgument *iotdata_operation_argument(const IotDataOperation *operation,
														 IotDataRole role);

#endif							/* IOTDATA_REQUEST_OPERATION_H */
