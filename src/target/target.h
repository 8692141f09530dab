/*
 * target.h
 *		Where calls go, and as whom: endpoint, region, authorities, rates,
 *		credentials.
 */
#ifndef IOTDATA_TARGET_H
#define IOTDATA_TARGET_H

#include "postgres.h"

#include "aws/endpoint.h"
#include "credentials/provider.h"

/*
 * A target does not change. It belongs to those who hold it: when the last one
 * is gone, it is cleared and freed. So whatever has begun with one goes on with
 * it, whatever becomes of the server and the user mapping that it was made of.
 */
typedef struct IotDataTarget
{
	char		server[NAMEDATALEN];	/* "": the default target */
	IotDataEndpoint endpoint;
	const char *endpoint_source;	/* what names it: a setting, an option, or
									 * the region */
	char		region[64];		/* one host label */
	const char *region_source;	/* a setting, an option, or a variable */
	const char *ca_file;		/* "": the system's */
	int			read_rate;		/* its own; -1: those of the settings */
	int			send_rate;
	IotDataCredentialsSource credentials;

	/* Which of these are the settings', because no option says them. */
	bool		inherits_fips;
	bool		inherits_dualstack;
	bool		inherits_ca_file;

	int			references;		/* the business of target.c */
	size_t		size;
} IotDataTarget;

/* A target with a copy of "values", strings included, held by "holder". */
extern const IotDataTarget *iotdata_target_create(const IotDataTarget *values,
												  MemoryContext holder);

/* Another context that holds it. */
extern void iotdata_target_hold(const IotDataTarget *target, MemoryContext holder);

/* Hold it without a context, until it is left. */
extern void iotdata_target_reference(const IotDataTarget *target);
extern void iotdata_target_leave(const IotDataTarget *target);

#endif							/* IOTDATA_TARGET_H */
