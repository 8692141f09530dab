/*
 * settings.c
 *		Every setting, declared in one place.
 *
 * What decides where requests and their signatures go, and what a backend may
 * be made to hold in memory, is for superusers; the rest is for everybody.
 */
#include "postgres.h"

#include "aws/endpoint.h"
#include "miscadmin.h"
#include "settings/settings.h"
#include "utils/guc.h"

#include <limits.h>

/*
 * The AWS region: it is part of each signature, and names the endpoint when
 * none is given. Empty means that the environment says. A superuser's, because
 * it decides where requests signed with the server's credentials go.
 */
char	   *iotdata_region;

/*
 * Where requests are sent instead of the region's own endpoint: an account's
 * endpoint, a VPC endpoint, or a local one. A superuser's, because requests
 * signed with the server's credentials go there.
 */
char	   *iotdata_endpoint_url;

/*
 * The profile of AWS's files that credentials are taken from, and no others;
 * what else it says counts when nothing nearer does. Empty means that the
 * environment says. A superuser's, because it decides as whom requests are sent.
 */
char	   *iotdata_profile;

/*
 * Which of the region's endpoints the rule gives when no URL is set; a
 * superuser's for the same reason.
 */
bool		iotdata_use_fips_endpoint;
bool		iotdata_use_dualstack_endpoint;

/*
 * A PEM file of the certificate authorities that may vouch for the endpoint.
 * Empty means those of the operating system. A superuser's: it names a file
 * that the server reads, and decides who is trusted.
 */
char	   *iotdata_ca_file;

/*
 * The foreign server whose target calls go to that name none; empty for the
 * default target. Anybody's: USAGE on the server is needed to use it.
 */
char	   *iotdata_server;

/* How long to wait for a connection (name, TCP and TLS), and for an answer. */
int			iotdata_connect_timeout;
int			iotdata_request_timeout;

/*
 * The largest answer that is taken. It bounds what one call can make a
 * backend allocate, whoever is at the other end.
 */
int			iotdata_max_response_size;

/*
 * How often a call may be attempted, the first time included. What may be
 * attempted again at all is not a setting.
 */
int			iotdata_max_attempts;

/*
 * How many requests of one query may be in flight at once. Each has a
 * connection of its own where the server does not multiplex, so it also bounds
 * the connections that a backend keeps.
 */
int			iotdata_max_concurrency;

/*
 * How many requests a second the whole cluster sends to a target: reads of
 * connections and subscriptions, and messages. The defaults are the service's
 * quotas. A superuser's, because what one session takes is missing for all
 * others of the account; 0 is for a service without quotas, and also switches
 * off that reads of one client keep a second's distance.
 */
int			iotdata_read_rate;
int			iotdata_send_rate;

/*
 * Whether a join with a reading function asks for many rows at once. Off gives
 * the plans that PostgreSQL makes by itself, to compare with.
 */
bool		iotdata_batch_joins;

/*
 * How many background workers may send a database's messages; 0: none. Read by
 * the launcher, so it is the configuration file's.
 */
int			iotdata_outbox_workers;

/*
 * How many messages of the outbox one session sends at once. A superuser's,
 * because workers of the server take it.
 */
int			iotdata_outbox_concurrency;

/*
 * How many messages may wait in the outbox. It is held against PostgreSQL's
 * statistics of the table, so that no transaction has to count, and therefore
 * roughly. A superuser's: the disk is everybody's.
 */
int			iotdata_outbox_max;

/*
 * The pause before a device whose message could not be delivered is tried
 * again: it doubles from the first to the second.
 */
int			iotdata_outbox_retry_delay;
int			iotdata_outbox_max_retry_delay;

/*
 * How long the outbox tells of messages that were delivered or cancelled, and
 * of those that were given up.
 */
int			iotdata_outbox_retention;
int			iotdata_outbox_failed_retention;

/*
 * Whether a queued message has its id among its user properties. Not by
 * default: it takes up room, and devices with MQTT 3.1.1 do not see it.
 */
bool		iotdata_outbox_message_id;

/*
 * Shared memory of the response cache, its index included. Without preloading
 * there is none, and no such setting.
 */
int			iotdata_cache_size;

static bool
check_region(char **newval, void **extra, GucSource source)
{
	if (**newval == '\0' || iotdata_region_is_valid(*newval))
		return true;
	GUC_check_errdetail("%s",
						iotdata_endpoint_explain(IOTDATA_ENDPOINT_BAD_REGION));
	return false;
}

static bool
check_endpoint_url(char **newval, void **extra, GucSource source)
{
	IotDataEndpoint endpoint;
	IotDataEndpointStatus status;

	if (**newval == '\0')
		return true;
	status = iotdata_endpoint_parse(&endpoint, *newval);
	if (status == IOTDATA_ENDPOINT_OK)
		return true;
	GUC_check_errdetail("%s", iotdata_endpoint_explain(status));
	return false;
}

static void
define_target_settings(void)
{
	DefineCustomStringVariable("iotdata.region",
							   "AWS region that requests are signed for.",
							   "An empty string means AWS_REGION or AWS_DEFAULT_REGION of the server's environment, or the profile.",
							   &iotdata_region, "", PGC_SUSET, 0,
							   check_region, NULL, NULL);
	DefineCustomStringVariable("iotdata.endpoint_url",
							   "URL that requests are sent to.",
							   "An empty string means that the server's environment or the profile says, else the region's own endpoint.",
							   &iotdata_endpoint_url, "", PGC_SUSET, 0,
							   check_endpoint_url, NULL, NULL);
	DefineCustomStringVariable("iotdata.profile",
							   "AWS profile whose credentials are used.",
							   "An empty string means AWS's usual places, the profile of the server's environment among them.",
							   &iotdata_profile, "", PGC_SUSET, 0,
							   NULL, NULL, NULL);
	DefineCustomBoolVariable("iotdata.use_fips_endpoint",
							 "Uses the region's FIPS endpoint.", NULL,
							 &iotdata_use_fips_endpoint, false, PGC_SUSET, 0,
							 NULL, NULL, NULL);
	DefineCustomBoolVariable("iotdata.use_dualstack_endpoint",
							 "Uses the region's dual-stack (IPv4 and IPv6) endpoint.",
							 NULL,
							 &iotdata_use_dualstack_endpoint, false,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("iotdata.ca_file",
							   "PEM file of the certificate authorities that are trusted.",
							   "An empty string means those of the operating system.",
							   &iotdata_ca_file, "", PGC_SUSET, 0,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("iotdata.server",
							   "Foreign server that calls go to when they name none.",
							   "An empty string means the default target, which the other settings describe.",
							   &iotdata_server, "", PGC_USERSET, 0,
							   NULL, NULL, NULL);
}

static void
define_limit_settings(void)
{
	DefineCustomIntVariable("iotdata.connect_timeout",
							"Longest time to wait for a connection to the endpoint.",
							NULL,
							&iotdata_connect_timeout, 3000, 1, 600000,
							PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("iotdata.request_timeout",
							"Longest time that a request may take.",
							"The timeout of a confirmed message is added to it.",
							&iotdata_request_timeout, 30000, 1, 3600000,
							PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("iotdata.max_response_size",
							"Largest answer that is taken.", NULL,
							&iotdata_max_response_size, 1024, 1, 1024 * 1024,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
}

static void
define_many_calls_settings(void)
{
	DefineCustomIntVariable("iotdata.max_attempts",
							"How many attempts a call may make.", NULL,
							&iotdata_max_attempts, 3, 1, 10,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("iotdata.max_concurrency",
							"How many requests of one query may be in flight at once.",
							NULL,
							&iotdata_max_concurrency, 64, 1, 1000,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("iotdata.read_rate",
							"Reads a second that are sent to one target.",
							"0 means no limit, nor any distance between reads of one client.",
							&iotdata_read_rate, 100, 0, 1000000,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("iotdata.send_rate",
							"Messages a second that are sent to one target.",
							"0 means no limit.",
							&iotdata_send_rate, 20000, 0, 1000000,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("iotdata.batch_joins",
							 "Lets a join with a reading function ask for many rows at once.",
							 NULL,
							 &iotdata_batch_joins, true, PGC_USERSET, 0,
							 NULL, NULL, NULL);
}

static void
define_outbox_settings(void)
{
	DefineCustomIntVariable("iotdata.outbox_workers",
							"How many background workers send the outbox of a database.",
							"0 means none. They need the library to be preloaded.",
							&iotdata_outbox_workers, 1, 0, 16,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("iotdata.outbox_concurrency",
							"How many messages of the outbox one session sends to one target at once.",
							"To all targets together an eighth more.",
							&iotdata_outbox_concurrency, 256, 1, 1000,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("iotdata.outbox_max",
							"How many messages may wait in the outbox.",
							"0 means no limit.",
							&iotdata_outbox_max, 1000000, 0, INT_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("iotdata.outbox_retry_delay",
							"Time after which a message that could not be delivered is tried again.",
							"It doubles with each attempt.",
							&iotdata_outbox_retry_delay, 1000, 1, 3600000,
							PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("iotdata.outbox_max_retry_delay",
							"Longest time between two attempts to deliver a message.",
							NULL,
							&iotdata_outbox_max_retry_delay, 300000, 1, 86400000,
							PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("iotdata.outbox_retention",
							"How long rows of delivered and cancelled messages are kept.",
							"-1 means for ever.",
							&iotdata_outbox_retention, 3600, -1, INT_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("iotdata.outbox_failed_retention",
							"How long messages that failed or expired are kept.",
							"-1 means for ever.",
							&iotdata_outbox_failed_retention, 7 * 86400, -1, INT_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomBoolVariable("iotdata.outbox_message_id",
							 "Puts the id of a queued message among its user properties.",
							 NULL,
							 &iotdata_outbox_message_id, false, PGC_USERSET, 0,
							 NULL, NULL, NULL);
}

static void
define_memory_settings(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	DefineCustomIntVariable("iotdata.cache_size",
							"Shared memory of the response cache, from which max_age is served.",
							NULL,
							&iotdata_cache_size, 16 * 1024, 1024,
							1024 * 1024,
							PGC_POSTMASTER, GUC_UNIT_KB, NULL, NULL, NULL);
}

void
iotdata_settings_init(void)
{
	define_target_settings();
	define_limit_settings();
	define_many_calls_settings();
	define_outbox_settings();
	define_memory_settings();
	MarkGUCPrefixReserved("iotdata");
}
