/*
 * options.h
 *	  The command line.
 */
#ifndef EMULATOR_OPTIONS_H
#define EMULATOR_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/quota.h"
#include "http/fault.h"

typedef struct Options
{
	const char *address;
	int			http_port;		/* 0: any, as with the others */
	int			https_port;
	int			mqtt_port;
	int			mqtts_port;
	const char *certificate;	/* file names; NULL: no TLS */
	const char *key;
	const char *region;			/* NULL: any */
	const char *access_key_id;
	const char *secret_access_key;
	const char *session_token;	/* NULL: none */
	bool		authenticate;
	bool		socket_information;
	const char **things;
	size_t		thing_count;
	int64_t		keep_connection_data;	/* seconds */
	int64_t		max_subscriptions;	/* 0: no limit */
	QuotaRates	rates;
	const char *retry_after;	/* a number of milliseconds; NULL: none */
	FaultOptions faults;
	int64_t		clock_offset;	/* seconds */
	const char *log;			/* NULL: none */
} Options;

/* Exits with 2 and a message when something is wrong, with 0 after --help. */
extern void options_parse(Options *options, int argc, char **argv);
extern void options_free(Options *options);

#endif							/* EMULATOR_OPTIONS_H */
