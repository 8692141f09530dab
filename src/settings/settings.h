/*
 * settings.h
 *		Every setting of the extension, iotdata.*.
 */
#ifndef IOTDATA_SETTINGS_H
#define IOTDATA_SETTINGS_H

#include "postgres.h"

extern char *iotdata_region;
extern char *iotdata_endpoint_url;
extern char *iotdata_profile;
extern bool iotdata_use_fips_endpoint;
extern bool iotdata_use_dualstack_endpoint;
extern char *iotdata_ca_file;
extern char *iotdata_server;
extern int	iotdata_connect_timeout;	/* milliseconds */
extern int	iotdata_request_timeout;	/* milliseconds */
extern int	iotdata_max_response_size;	/* kilobytes */
extern int	iotdata_max_attempts;
extern int	iotdata_max_concurrency;
extern int	iotdata_read_rate;	/* a second; 0: no limit */
extern int	iotdata_send_rate;	/* a second; 0: no limit */
extern bool iotdata_batch_joins;
extern int	iotdata_outbox_workers;
extern int	iotdata_outbox_concurrency;
extern int	iotdata_outbox_max; /* messages; 0: no limit */
extern int	iotdata_outbox_retry_delay; /* milliseconds */
extern int	iotdata_outbox_max_retry_delay; /* milliseconds */
extern int	iotdata_outbox_retention;	/* seconds; -1: for ever */
extern int	iotdata_outbox_failed_retention;	/* seconds; -1: for ever */
extern bool iotdata_outbox_message_id;
extern int	iotdata_cache_size; /* kilobytes; only when preloaded */

/* Declare the settings and reserve their prefix. Called once, at load. */
extern void iotdata_settings_init(void);

#endif							/* IOTDATA_SETTINGS_H */
