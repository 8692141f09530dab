/*
 * api_answer.h
 *	  The form of answers, good and bad.  Each function is the answer to the
 *	  request, of which there must be one.
 */
#ifndef EMULATOR_API_ANSWER_H
#define EMULATOR_API_ANSWER_H

#include <json-c/json.h>

#include "http/http.h"

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

/* The request was carried out, so a fault may take this answer's place. */
extern void api_fail(HttpRequest *request, ApiError error, const char *message);
extern void api_succeed(HttpRequest *request, const char *message);

/* Frees the object; NULL: an answer without a body. */
extern void api_answer(HttpRequest *request, json_object *object);

/* The request was not carried out, and no fault is to come. */
extern void api_refuse(HttpRequest *request, ApiError error, const char *message);

#endif							/* EMULATOR_API_ANSWER_H */
