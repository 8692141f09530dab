/*
 * api_arguments.h
 *	  The arguments in a request's path and query, and the tokens of lists in
 *	  pages.
 */
#ifndef EMULATOR_API_ARGUMENTS_H
#define EMULATOR_API_ARGUMENTS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/api_options.h"
#include "http/http.h"

typedef struct ApiArgument
{
	char	   *name;			/* decoded, as the next */
	char	   *value;
} ApiArgument;

/* A request whose path and query are understood. */
typedef struct ApiCall
{
	HttpRequest *request;
	const ApiOptions *options;
	char	   *label;			/* the client ID or topic of the path; or NULL */
	ApiArgument *arguments;
	size_t		argument_count;
} ApiCall;

/*
 * What is percent-encoded in the path and in the query.  False when it is not
 * UTF-8; what was taken must be freed in any case.
 */
extern bool api_take_label(ApiCall *call, const char *text, size_t length);
extern bool api_take_query(ApiCall *call);
extern void api_free_arguments(ApiCall *call);

/* Values of the query.  Whichever returns false has answered with 400. */
extern const char *api_text(const ApiCall *call, const char *name); /* NULL: not given */
extern bool api_boolean(const ApiCall *call, const char *name, bool *value);
extern bool api_number(const ApiCall *call, const char *name, int64_t minimum,
					   int64_t maximum, int64_t *value);

/* Whether the path's client ID can be one; if not, has answered with 400. */
extern bool api_check_client_id(const ApiCall *call);

/* A page of a list: up to *limit entries after *sequence. */
extern bool api_page(const ApiCall *call, const char *key, int64_t *limit,
					 uint64_t *sequence);
extern void api_add_next_token(json_object *object, const char *key, uint64_t sequence);

#endif							/* EMULATOR_API_ARGUMENTS_H */
