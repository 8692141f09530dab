/*
 * api_options.h
 *	  What the API is told at the start.
 */
#ifndef EMULATOR_API_OPTIONS_H
#define EMULATOR_API_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "api/quota.h"
#include "http/signature.h"

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

#endif							/* EMULATOR_API_OPTIONS_H */
