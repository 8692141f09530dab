/*
 * operation.h
 *		The operations of the Data Plane, as data.
 *
 * An operation says which of its arguments goes where in the request, what
 * each must look like, and which members of the answer fill a row. Everything
 * else is the same for all operations, so one more of them is one more table
 * and its SQL function. Source: the service's published model.
 */
#ifndef IOTDATA_REQUEST_OPERATION_H
#define IOTDATA_REQUEST_OPERATION_H

#include "postgres.h"

#include "shared/rate.h"

typedef enum IotDataLocation
{
	IOTDATA_LOCATION_NONE,		/* not sent: it is about the call */
	IOTDATA_LOCATION_PATH,		/* the one {label} of the path */
	IOTDATA_LOCATION_QUERY,
	IOTDATA_LOCATION_HEADER,
	IOTDATA_LOCATION_BODY
} IotDataLocation;

/*
 * What an argument must look like. Lengths are bytes of UTF-8. "min" and "max"
 * of the argument bound what the rule measures.
 */
typedef enum IotDataRule
{
	IOTDATA_RULE_ANY,			/* nothing to check */
	IOTDATA_RULE_CLIENT_ID,		/* max: bytes */
	IOTDATA_RULE_TOPIC,			/* max: bytes; what a client may be sent */
	IOTDATA_RULE_RESPONSE_TOPIC,	/* max: bytes */
	IOTDATA_RULE_ONE_LINE,		/* max: bytes, without CR, LF and NUL */
	IOTDATA_RULE_BYTES,			/* max: bytes */
	IOTDATA_RULE_NUMBER,		/* min, max: the number */
	IOTDATA_RULE_SECONDS,		/* min, max: whole seconds of an interval */
	IOTDATA_RULE_AGE,			/* an interval that is not negative */
	IOTDATA_RULE_USER_PROPERTIES	/* max: bytes of names and values together */
} IotDataRule;

typedef struct IotDataArgument
{
	const char *name;			/* as SQL has it */
	const char *location_name;	/* as the API has it */
	IotDataLocation location;
	IotDataRule rule;
	size_t		min;
	size_t		max;
	bool		required;
} IotDataArgument;

/* The field that is no member of the answer: when it came. */
#define IOTDATA_FIELD_OBSERVED_AT NULL

/* most fields that an operation has */
#define IOTDATA_MAX_FIELDS 16

typedef struct IotDataOperation
{
	const char *name;			/* as the API has it: "GetConnection" */
	const char *method;
	const char *path;			/* "/connections/{clientId}" */
	IotDataRateKind rate_kind;	/* the quota that it counts against */

	/*
	 * An action reaches a device or changes something. What it acts on must
	 * be there (404 is an error, for a read it is an empty result), and it is
	 * never sent again when it may have happened.
	 */
	bool		is_action;

	/*
	 * What hints say: the permission that a policy must allow (403); of an
	 * action, why there is nothing to act on (404), and what to do when it is
	 * not known whether it happened.
	 */
	const char *permission;
	const char *not_found_hint;
	const char *unknown_outcome_hint;

	/*
	 * The arguments, in the order of the SQL function's; the first is what
	 * the operation is about.
	 */
	const IotDataArgument *arguments;
	int			narguments;

	/*
	 * The answer's members, in the order of the row type's columns; the type
	 * of a column decides how its member is read. With "items" a row is made
	 * from each element of that member, and the answer may have a nextToken.
	 * Without fields nothing of the answer is looked at.
	 */
	const char *const *fields;
	int			nfields;
	const char *items;

	/*
	 * An operation that can wait for the device has a boolean argument that
	 * says so and an interval that says how long; without the first, the
	 * second means nothing. -1 where there are none.
	 */
	int			wait_flag;
	int			wait_time;
	int			wait_default;	/* seconds */

	/*
	 * Of an operation whose answers are kept: the interval that says how old
	 * an answer may be that was observed before; without it, none is taken.
	 * -1: its answers are not kept.
	 */
	int			max_age;
} IotDataOperation;

extern const IotDataOperation iotdata_operation_get_connection;
extern const IotDataOperation iotdata_operation_delete_connection;
extern const IotDataOperation iotdata_operation_list_subscriptions;
extern const IotDataOperation iotdata_operation_send_direct_message;

#endif							/* IOTDATA_REQUEST_OPERATION_H */
