/*
 * template.c
 *		A message as a trigger's arguments say it, to be filled in by rows.
 *
 * They are the column that names the client, the topic, with columns as
 * {column}, and the column that is the payload, or '*' for the row as JSON.
 * Other arguments of queue_direct_message follow as 'name=value': a value is
 * the same for all rows, but for a response topic, which may have columns, too.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "error/raise.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "outbox/template.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#define MIN_ARGUMENTS 3
#define WHOLE_ROW 0				/* no column has this number */

/* A piece of a topic, and the column after it. */
typedef struct Piece
{
	const char *text;
	int			column;			/* 0: it is the last one */
} Piece;

struct IotDataMessageTemplate
{
	TupleDesc	columns;
	int			client_id;		/* column */
	int			payload;		/* column, or WHOLE_ROW */
	List	   *topic;			/* of Piece */
	List	   *response_topic; /* NIL: none */
	NullableDatum arguments[IOTDATA_OUTBOX_NARGUMENTS]; /* those of options */
	IotDataArgumentTypes types;
	const Interval *expires_in;
	const char *server;
};

/* ---- what the arguments say ---- */

static int
find_column(TupleDesc columns, const char *name)
{
	int			column = SPI_fnumber(columns, name);

	if (column <= 0)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_COLUMN),
				errmsg("column \"%s\" does not exist", name));
	return column;
}

static Piece *
make_piece(const char *text, int length, int column)
{
	Piece	   *piece = palloc(sizeof(*piece));

	piece->text = pnstrdup(text, length);
	piece->column = column;
	return piece;
}

static List *
parse_topic(TupleDesc columns, const char *text)
{
	List	   *topic = NIL;
	const char *open;

	while ((open = strchr(text, '{')) != NULL)
	{
		const char *end = strchr(open, '}');

		if (end == NULL)
			iotdata_raise_argument("the topic has a \"{\" without a \"}\"");
		topic = lappend(topic, make_piece(text, (int) (open - text),
										  find_column(columns, pnstrdup(open + 1, end - open - 1))));
		text = end + 1;
	}
	return lappend(topic, make_piece(text, (int) strlen(text), 0));
}

static Datum
read_value(Oid type, const char *text)
{
	Oid			input;
	Oid			parameter;

	getTypeInputInfo(type, &input, &parameter);
	return OidInputFunctionCall(input, unconstify(char *, text), parameter, -1);
}

/* One of the operation's arguments; false: it has none of this name. */
static bool
set_argument(IotDataMessageTemplate *template, const char *name, const char *value)
{
	const IotDataOperation *operation = &iotdata_operation_send_direct_message;
	int			place = IOTDATA_OUTBOX_PAYLOAD + 1;

	while (place < IOTDATA_OUTBOX_NARGUMENTS && strcmp(operation->arguments[place].name, name) != 0)
		place++;
	if (place == IOTDATA_OUTBOX_NARGUMENTS)
		return false;
	if (place == IOTDATA_OUTBOX_RESPONSE_TOPIC)
		template->response_topic = parse_topic(template->columns, value);
	else
	{
		template->arguments[place].value = read_value(template->types.types[place], value);
		template->arguments[place].isnull = false;
	}
	return true;
}

static void
set_option(IotDataMessageTemplate *template, const char *name, const char *value)
{
	if (strcmp(name, "expires_in") == 0)
		template->expires_in = DatumGetIntervalP(read_value(INTERVALOID, value));
	else if (strcmp(name, "server") == 0)
		template->server = pstrdup(value);
	else if (!set_argument(template, name, value))
		iotdata_raise_argument(psprintf("the trigger has no option \"%s\"", name));
}

static void
parse_options(IotDataMessageTemplate *template, char **arguments, int count)
{
	List	   *names = NIL;

	for (int i = 0; i < count; i++)
	{
		const char *equals = strchr(arguments[i], '=');
		char	   *name;

		if (equals == NULL)
			iotdata_raise_argument(psprintf("\"%s\" must be an option and its value, as in \"expires_in=1 hour\"",
											arguments[i]));
		name = pnstrdup(arguments[i], equals - arguments[i]);
		if (list_member(names, makeString(name)))
			iotdata_raise_argument(psprintf("the option \"%s\" is there twice", name));
		names = lappend(names, makeString(name));
		set_option(template, name, equals + 1);
	}
}

static void
find_types(IotDataArgumentTypes *types)
{
	Relation	outbox = table_open(iotdata_outbox_relation("outbox"), RowExclusiveLock);

	iotdata_outbox_types(types, RelationGetDescr(outbox));
	table_close(outbox, NoLock);
}

const IotDataMessageTemplate *
iotdata_template_parse(const Trigger *trigger, TupleDesc columns)
{
	IotDataMessageTemplate *template = palloc0(sizeof(*template));

	if (trigger->tgnargs < MIN_ARGUMENTS)
		iotdata_raise_argument("the trigger's arguments must be the client's column, the topic, the payload's column or \"*\", and perhaps options");
	find_types(&template->types);
	for (int i = 0; i < IOTDATA_OUTBOX_NARGUMENTS; i++)
		template->arguments[i].isnull = true;
	template->columns = columns;
	template->client_id = find_column(columns, trigger->tgargs[0]);
	template->topic = parse_topic(columns, trigger->tgargs[1]);
	template->payload = strcmp(trigger->tgargs[2], "*") == 0 ? WHOLE_ROW :
		find_column(columns, trigger->tgargs[2]);
	parse_options(template, trigger->tgargs + MIN_ARGUMENTS, trigger->tgnargs - MIN_ARGUMENTS);
	return template;
}

/* ---- a row ---- */

static NullableDatum
text_value(const char *text)
{
	NullableDatum value = {.isnull = text == NULL};

	if (text != NULL)
		value.value = CStringGetTextDatum(text);
	return value;
}

/* Append a column's value, which is one level of the topic at the most. */
static void
append_value(StringInfo topic, TupleDesc columns, HeapTuple row, int column)
{
	const char *value = SPI_getvalue(row, columns, column);
	const char *name = NameStr(TupleDescAttr(columns, column - 1)->attname);

	if (value == NULL)
		iotdata_raise_argument(psprintf("column \"%s\" in the topic must not be null", name));
	if (value[strcspn(value, "/+#")] != '\0')
		iotdata_raise_argument(psprintf("column \"%s\" in the topic must not contain \"/\", \"+\" or \"#\"", name));
	appendStringInfoString(topic, value);
}

static NullableDatum
make_topic(const List *pieces, TupleDesc columns, HeapTuple row)
{
	StringInfoData topic;
	ListCell   *cell;

	initStringInfo(&topic);
	foreach(cell, pieces)
	{
		const Piece *piece = lfirst(cell);

		appendStringInfoString(&topic, piece->text);
		if (piece->column > 0)
			append_value(&topic, columns, row, piece->column);
	}
	return text_value(topic.data);
}

static void
set_payload(const IotDataMessageTemplate *template, HeapTuple row, IotDataQueued *message)
{
	NullableDatum *payload = &message->arguments[IOTDATA_OUTBOX_PAYLOAD];
	Oid		   *type = &message->types.types[IOTDATA_OUTBOX_PAYLOAD];

	*type = template->payload == WHOLE_ROW ? JSONOID : SPI_gettypeid(template->columns, template->payload);
	if (template->payload == WHOLE_ROW)
	{
		payload->isnull = false;
		payload->value = DirectFunctionCall1(row_to_json,
											 heap_copy_tuple_as_datum(row, template->columns));
	}
	else if (*type == BYTEAOID || *type == TEXTOID || *type == JSONOID || *type == JSONBOID)
		payload->value = SPI_getbinval(row, template->columns, template->payload, &payload->isnull);
	else
	{
		*type = TEXTOID;
		*payload = text_value(SPI_getvalue(row, template->columns, template->payload));
	}
}

void
iotdata_template_fill(const IotDataMessageTemplate *template, HeapTuple row,
					  IotDataQueued *message)
{
	memset(message, 0, sizeof(*message));
	memcpy(message->arguments, template->arguments, sizeof(message->arguments));
	message->types = template->types;
	message->expires_in = template->expires_in;
	message->server = template->server;
	message->arguments[IOTDATA_OUTBOX_CLIENT_ID] = text_value(SPI_getvalue(row, template->columns,
																		   template->client_id));
	message->arguments[IOTDATA_OUTBOX_TOPIC] = make_topic(template->topic, template->columns, row);
	if (template->response_topic != NIL)
		message->arguments[IOTDATA_OUTBOX_RESPONSE_TOPIC] = make_topic(template->response_topic,
																	   template->columns, row);
	set_payload(template, row, message);
}
