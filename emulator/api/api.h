/*
 * api.h
 *	  The Data Plane's operations over HTTP.
 */
#ifndef EMULATOR_API_H
#define EMULATOR_API_H

#include <json-c/json.h>
#include <stdbool.h>

#include "api/quota.h"
#include "broker/session.h"
#include "http/http.h"

typedef struct ApiOptions
{
	bool		authenticate;
	SignatureKeys keys;
	bool		allow_socket_information;
	const char *const *things;	/* client ids of exclusive things */
	size_t		thing_count;
	Quota	   *quota;			/* NULL: none */
	const char *retry_after;	/* milliseconds, of what is over it; or NULL */
} ApiOptions;

/* Keeps the pointer. */
extern void api_init(const ApiOptions *options);
extern void api_handle(HttpRequest *request);

/* ------ for the files of single operations ------ */

extern const ApiOptions *api_options;

typedef struct ApiArgument
{
	char	   *name;			/* decoded, as the next */
	char	   *value;
} ApiArgument;

/* A request whose path and query are understood. */
typedef struct ApiCall
{
	HttpRequest *request;
	char	   *label;			/* the client ID or topic of the path; or NULL */
	ApiArgument *arguments;
	size_t		argument_count;
} ApiCall;

typedef enum ApiError
{
	API_INVALID_REQUEST,
	API_FORBIDDEN,
	API_NOT_FOUND,
	API_METHOD_NOT_ALLOWED,
	API_TOO_LARGE,
	API_THROTTLED,
	API_INTERNAL_FAILURE,
	API_UNAVAILABLE,
	API_GATEWAY_TIMEOUT
} ApiError;

/* Each of these three is the answer to the request. */
extern void api_fail(HttpRequest *request, ApiError error, const char *message);
extern void api_succeed(HttpRequest *request, const char *message);
extern void api_answer(HttpRequest *request, json_object *object);	/* and frees it */

/* The query's arguments.  Those that return false have answered with 400. */
extern const char *api_text(const ApiCall *call, const char *name); /* NULL: not given */
extern bool api_boolean(const ApiCall *call, const char *name, bool *value);
extern bool api_number(const ApiCall *call, const char *name, int64_t minimum,
					   int64_t maximum, int64_t *value);

/* A page of a list: up to *limit entries after *sequence. */
extern bool api_page(const ApiCall *call, const char *key, int64_t *limit,
					 uint64_t *sequence);
extern void api_add_next_token(json_object *object, const char *key, uint64_t sequence);

extern void api_get_connection(ApiCall *call);
extern void api_delete_connection(ApiCall *call);
extern void api_list_subscriptions(ApiCall *call);
extern void api_send_direct_message(ApiCall *call);
extern void api_publish(ApiCall *call);
extern void api_get_retained_message(ApiCall *call);
extern void api_list_retained_messages(ApiCall *call);

#endif							/* EMULATOR_API_H */
