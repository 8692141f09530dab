/*
 * api_arguments.c
 *	  The arguments in a request's path and query, and the tokens of lists in
 *	  pages.
 */
#include "api/api_arguments.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_answer.h"
#include "base/text.h"
#include "broker/session.h"

#define MAX_RESULTS 200
#define DEFAULT_RESULTS 20

static char *
decode_text(const char *text, size_t length)
{
	char	   *decoded = text_percent_decode(text, length);

	if (decoded != NULL && text_is_utf8(decoded, strlen(decoded)))
		return decoded;
	free(decoded);
	return NULL;
}

bool
api_take_label(ApiCall *call, const char *text, size_t length)
{
	call->label = decode_text(text, length);
	return call->label != NULL;
}

static bool
take_argument(ApiCall *call, const char *text, size_t length)
{
	const char *equals = memchr(text, '=', length);
	size_t		name_length = equals != NULL ? (size_t) (equals - text) : length;
	ApiArgument *argument = &call->arguments[call->argument_count];

	argument->name = decode_text(text, name_length);
	argument->value = equals == NULL ? memory_copy_string("") :
		decode_text(equals + 1, length - name_length - 1);
	call->argument_count++;
	return argument->name != NULL && argument->value != NULL;
}

bool
api_take_query(ApiCall *call)
{
	const char *query = strchr(call->request->target, '?');
	size_t		capacity = 1;

	if (query == NULL)
		return true;
	query++;
	for (const char *at = query; *at != '\0'; at++)
		capacity += *at == '&';
	call->arguments = memory_alloc(capacity * sizeof(ApiArgument));
	while (*query != '\0')
	{
		size_t		length = strcspn(query, "&");

		if (length > 0 && !take_argument(call, query, length))
			return false;
		query += length + (query[length] == '&');
	}
	return true;
}

void
api_free_arguments(ApiCall *call)
{
	for (size_t i = 0; i < call->argument_count; i++)
	{
		free(call->arguments[i].name);
		free(call->arguments[i].value);
	}
	free(call->arguments);
	free(call->label);
}

/* ------ their values ------ */

const char *
api_text(const ApiCall *call, const char *name)
{
	for (size_t i = 0; i < call->argument_count; i++)
		if (strcmp(call->arguments[i].name, name) == 0)
			return call->arguments[i].value;
	return NULL;
}

static void
refuse_argument(const ApiCall *call, const char *name)
{
	char		message[80];

	snprintf(message, sizeof(message), "The value of %s is not valid", name);
	api_fail(call->request, API_INVALID_REQUEST, message);
}

bool
api_boolean(const ApiCall *call, const char *name, bool *value)
{
	const char *text = api_text(call, name);

	*value = text != NULL && strcmp(text, "true") == 0;
	if (text == NULL || *value || strcmp(text, "false") == 0)
		return true;
	refuse_argument(call, name);
	return false;
}

bool
api_number(const ApiCall *call, const char *name, int64_t minimum, int64_t maximum,
		   int64_t *value)
{
	const char *text = api_text(call, name);

	if (text == NULL || text_parse_number(text, minimum, maximum, value))
		return true;
	refuse_argument(call, name);
	return false;
}

bool
api_check_client_id(const ApiCall *call)
{
	size_t		length = strlen(call->label);

	if (length >= 1 && length <= SESSION_MAX_CLIENT_ID && call->label[0] != '$')
		return true;
	api_fail(call->request, API_INVALID_REQUEST,
			 "The client ID must have 1 to 128 bytes and not start with a dollar sign");
	return false;
}

/* ------ pages ------ */

/*
 * A token is base64 of SEQUENCE:KEY, where the key says which list it is for,
 * and the sequence which entry was the last one given.
 */
static bool
parse_token(const char *token, const char *key, uint64_t *sequence)
{
	Buffer		decoded = {0};
	const char *text;
	const char *colon;
	int64_t		number;
	bool		good = false;

	if (text_base64_decode(token, &decoded))
	{
		text = buffer_text(&decoded);
		colon = strchr(text, ':');
		if (colon != NULL && strcmp(colon + 1, key) == 0)
		{
			decoded.data[colon - text] = '\0';
			good = text_parse_number(text, 1, INT64_MAX, &number);
			*sequence = good ? (uint64_t) number : 0;
		}
	}
	buffer_free(&decoded);
	return good;
}

bool
api_page(const ApiCall *call, const char *key, int64_t *limit, uint64_t *sequence)
{
	const char *token = api_text(call, "nextToken");

	*limit = DEFAULT_RESULTS;
	*sequence = 0;
	if (!api_number(call, "maxResults", 1, MAX_RESULTS, limit))
		return false;
	if (token == NULL || parse_token(token, key, sequence))
		return true;
	refuse_argument(call, "nextToken");
	return false;
}

void
api_add_next_token(json_object *object, const char *key, uint64_t sequence)
{
	char		number[24];
	Buffer		text = {0};
	char	   *token;

	snprintf(number, sizeof(number), "%" PRIu64 ":", sequence);
	buffer_append_string(&text, number);
	buffer_append_string(&text, key);
	token = text_base64_encode(text.data, text.length);
	json_object_object_add(object, "nextToken", json_object_new_string(token));
	free(token);
	buffer_free(&text);
}
