/*
 * options.c
 *	  The command line.
 */
#include "options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static const char help[] =
	"iotdata-emulator is a local AWS IoT endpoint: MQTT clients connect to it, and it\n"
	"answers the Data Plane's HTTP API about them.\n"
	"\n"
	"Usage:\n"
	"  iotdata-emulator [OPTION]...\n"
	"\n"
	"Where it listens (port 0, the default, takes any that is free):\n"
	"  --listen ADDRESS               IPv4 or IPv6 address (default 127.0.0.1)\n"
	"  --http-port N, --mqtt-port N\n"
	"  --https-port N, --mqtts-port N only with a certificate\n"
	"  --certificate FILE             PEM; switches the TLS ports on\n"
	"  --key FILE                     PEM; the certificate's private key\n"
	"\n"
	"What requests must be signed with:\n"
	"  --access-key-id ID             (default $AWS_ACCESS_KEY_ID, or AKIDEXAMPLE)\n"
	"  --secret-access-key KEY        (default $AWS_SECRET_ACCESS_KEY, or AWS's example)\n"
	"  --session-token TOKEN          (default $AWS_SESSION_TOKEN, or none)\n"
	"  --region REGION                only this region (default any)\n"
	"  --no-authentication            do not check signatures\n"
	"\n"
	"How it behaves:\n"
	"  --thing CLIENT_ID              this client is an exclusive thing; repeatable\n"
	"  --no-socket-information        refuse includeSocketInformation=true\n"
	"  --keep-connection-data SECONDS how long a client that is gone is known\n"
	"                                 (default 1800)\n"
	"  --max-subscriptions N          per client (default 50; 0: no limit)\n"
	"  --clock-offset SECONDS         its clock is off by so much; may be negative\n"
	"  --log FILE                     one line per event; - is stderr\n"
	"  --version                      print the version, and exit\n"
	"  --help                         print this, and exit\n"
	"\n"
	"Quotas that it plays, in requests a second (0, the default: no limit); what is\n"
	"over one is answered with 429:\n"
	"  --read-rate N                  of GetConnection, ListSubscriptions and\n"
	"                                 DeleteConnection together\n"
	"  --client-read-rate N           the same, for one client ID\n"
	"  --send-rate N                  of SendDirectMessage and Publish together\n"
	"  --retry-after MS               says so long in x-amz-retry-after, with 429\n"
	"\n"
	"Faults that it plays:\n"
	"  --delay MS                     every answer comes so long after its request\n"
	"  --jitter MS                    and up to so much longer, at random\n"
	"  --fail-percent P               of the requests are answered with 500 or 503 and\n"
	"                                 not carried out, or carried out and answered\n"
	"                                 with 504; a fraction will do\n"
	"  --close-percent P              of the requests are not answered, the connection\n"
	"                                 is closed: half of them are carried out\n"
	"  --seed N                       of what is at random; with the same one the same\n"
	"                                 happens again (default 0)\n"
	"\n"
	"Prints one line per port, then \"ready\".  SIGTERM and SIGINT stop it.\n";

enum
{
	OPTION_LISTEN = 256,
	OPTION_HTTP_PORT,
	OPTION_HTTPS_PORT,
	OPTION_MQTT_PORT,
	OPTION_MQTTS_PORT,
	OPTION_CERTIFICATE,
	OPTION_KEY,
	OPTION_REGION,
	OPTION_ACCESS_KEY_ID,
	OPTION_SECRET_ACCESS_KEY,
	OPTION_SESSION_TOKEN,
	OPTION_NO_AUTHENTICATION,
	OPTION_THING,
	OPTION_NO_SOCKET_INFORMATION,
	OPTION_KEEP_CONNECTION_DATA,
	OPTION_MAX_SUBSCRIPTIONS,
	OPTION_CLOCK_OFFSET,
	OPTION_READ_RATE,
	OPTION_CLIENT_READ_RATE,
	OPTION_SEND_RATE,
	OPTION_RETRY_AFTER,
	OPTION_DELAY,
	OPTION_JITTER,
	OPTION_FAIL_PERCENT,
	OPTION_CLOSE_PERCENT,
	OPTION_SEED,
	OPTION_LOG,
	OPTION_VERSION,
	OPTION_HELP
};

static const struct option long_options[] = {
	{"listen", required_argument, NULL, OPTION_LISTEN},
	{"http-port", required_argument, NULL, OPTION_HTTP_PORT},
	{"https-port", required_argument, NULL, OPTION_HTTPS_PORT},
	{"mqtt-port", required_argument, NULL, OPTION_MQTT_PORT},
	{"mqtts-port", required_argument, NULL, OPTION_MQTTS_PORT},
	{"certificate", required_argument, NULL, OPTION_CERTIFICATE},
	{"key", required_argument, NULL, OPTION_KEY},
	{"region", required_argument, NULL, OPTION_REGION},
	{"access-key-id", required_argument, NULL, OPTION_ACCESS_KEY_ID},
	{"secret-access-key", required_argument, NULL, OPTION_SECRET_ACCESS_KEY},
	{"session-token", required_argument, NULL, OPTION_SESSION_TOKEN},
	{"no-authentication", no_argument, NULL, OPTION_NO_AUTHENTICATION},
	{"thing", required_argument, NULL, OPTION_THING},
	{"no-socket-information", no_argument, NULL, OPTION_NO_SOCKET_INFORMATION},
	{"keep-connection-data", required_argument, NULL, OPTION_KEEP_CONNECTION_DATA},
	{"max-subscriptions", required_argument, NULL, OPTION_MAX_SUBSCRIPTIONS},
	{"clock-offset", required_argument, NULL, OPTION_CLOCK_OFFSET},
	{"read-rate", required_argument, NULL, OPTION_READ_RATE},
	{"client-read-rate", required_argument, NULL, OPTION_CLIENT_READ_RATE},
	{"send-rate", required_argument, NULL, OPTION_SEND_RATE},
	{"retry-after", required_argument, NULL, OPTION_RETRY_AFTER},
	{"delay", required_argument, NULL, OPTION_DELAY},
	{"jitter", required_argument, NULL, OPTION_JITTER},
	{"fail-percent", required_argument, NULL, OPTION_FAIL_PERCENT},
	{"close-percent", required_argument, NULL, OPTION_CLOSE_PERCENT},
	{"seed", required_argument, NULL, OPTION_SEED},
	{"log", required_argument, NULL, OPTION_LOG},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"help", no_argument, NULL, OPTION_HELP},
	{NULL, 0, NULL, 0}
};

static void
give_up(void)
{
	fputs("Try \"iotdata-emulator --help\".\n", stderr);
	exit(2);
}

static int64_t
parse_number(const char *name, const char *text, int64_t minimum, int64_t maximum)
{
	int64_t		number;

	if (text_parse_number(text, minimum, maximum, &number))
		return number;
	fprintf(stderr, "iotdata-emulator: --%s: \"%s\" is not a number from %lld to %lld\n",
			name, text, (long long) minimum, (long long) maximum);
	give_up();
	return 0;
}

static int
parse_port(const char *name, const char *text)
{
	return (int) parse_number(name, text, 0, 65535);
}

static double
parse_percent(const char *name, const char *text)
{
	double		percent;

	if (text_parse_percent(text, &percent))
		return percent;
	fprintf(stderr, "iotdata-emulator: --%s: \"%s\" is not a percentage\n", name, text);
	give_up();
	return 0;
}

static const char *
environment_or(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : otherwise;
}

static void
set_defaults(Options *options)
{
	memset(options, 0, sizeof(*options));
	options->address = "127.0.0.1";
	options->access_key_id = environment_or("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
	options->secret_access_key = environment_or("AWS_SECRET_ACCESS_KEY",
												"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
	options->session_token = environment_or("AWS_SESSION_TOKEN", NULL);
	options->authenticate = true;
	options->socket_information = true;
	options->keep_connection_data = 1800;
	options->max_subscriptions = 50;
}

static void
add_thing(Options *options, const char *client_id)
{
	options->things = memory_resize(options->things,
									(options->thing_count + 1) * sizeof(char *));
	options->things[options->thing_count++] = client_id;
}

/* The options that are a number and nothing else. */
static const struct
{
	int			option;
	int64_t		minimum;
	int64_t		maximum;
	size_t		offset;			/* of an int64_t in Options */
}			numbers[] = {
	{OPTION_KEEP_CONNECTION_DATA, 0, INT32_MAX, offsetof(Options, keep_connection_data)},
	{OPTION_MAX_SUBSCRIPTIONS, 0, INT32_MAX, offsetof(Options, max_subscriptions)},
	{OPTION_CLOCK_OFFSET, -INT32_MAX, INT32_MAX, offsetof(Options, clock_offset)},
	{OPTION_READ_RATE, 0, QUOTA_MAX_RATE, offsetof(Options, rates.read)},
	{OPTION_CLIENT_READ_RATE, 0, QUOTA_MAX_RATE, offsetof(Options, rates.client_read)},
	{OPTION_SEND_RATE, 0, QUOTA_MAX_RATE, offsetof(Options, rates.send)},
	{OPTION_DELAY, 0, INT32_MAX, offsetof(Options, faults.delay)},
	{OPTION_JITTER, 0, INT32_MAX, offsetof(Options, faults.jitter)},
	{OPTION_SEED, 0, INT64_MAX, offsetof(Options, faults.seed)},
};

/* False when it is none of them. */
static bool
set_number(Options *options, int option, const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
	{
		if (numbers[i].option != option)
			continue;
		*(int64_t *) ((char *) options + numbers[i].offset) =
			parse_number(name, value, numbers[i].minimum, numbers[i].maximum);
		return true;
	}
	return false;
}

static void
set_option(Options *options, int option, const char *name, const char *value)
{
	switch (option)
	{
		case OPTION_LISTEN:
			options->address = value;
			break;
		case OPTION_HTTP_PORT:
			options->http_port = parse_port(name, value);
			break;
		case OPTION_HTTPS_PORT:
			options->https_port = parse_port(name, value);
			break;
		case OPTION_MQTT_PORT:
			options->mqtt_port = parse_port(name, value);
			break;
		case OPTION_MQTTS_PORT:
			options->mqtts_port = parse_port(name, value);
			break;
		case OPTION_CERTIFICATE:
			options->certificate = value;
			break;
		case OPTION_KEY:
			options->key = value;
			break;
		case OPTION_REGION:
			options->region = value;
			break;
		case OPTION_ACCESS_KEY_ID:
			options->access_key_id = value;
			break;
		case OPTION_SECRET_ACCESS_KEY:
			options->secret_access_key = value;
			break;
		case OPTION_SESSION_TOKEN:
			options->session_token = value[0] != '\0' ? value : NULL;
			break;
		case OPTION_NO_AUTHENTICATION:
			options->authenticate = false;
			break;
		case OPTION_THING:
			add_thing(options, value);
			break;
		case OPTION_NO_SOCKET_INFORMATION:
			options->socket_information = false;
			break;
		case OPTION_RETRY_AFTER:
			parse_number(name, value, 0, INT32_MAX);
			options->retry_after = value;
			break;
		case OPTION_FAIL_PERCENT:
			options->faults.fail_percent = parse_percent(name, value);
			break;
		case OPTION_CLOSE_PERCENT:
			options->faults.close_percent = parse_percent(name, value);
			break;
		case OPTION_LOG:
			options->log = value;
			break;
		case OPTION_VERSION:
			puts("iotdata-emulator " EMULATOR_VERSION);
			exit(0);
		case OPTION_HELP:
			fputs(help, stdout);
			exit(0);
		default:
			if (!set_number(options, option, name, value))
				give_up();
	}
}

static void
check(const Options *options, int argc, char **argv, int next)
{
	struct in6_addr address;

	if (next < argc)
	{
		fprintf(stderr, "iotdata-emulator: what is \"%s\"?\n", argv[next]);
		give_up();
	}
	if ((options->certificate == NULL) != (options->key == NULL))
	{
		fputs("iotdata-emulator: --certificate and --key go together\n", stderr);
		give_up();
	}
	if (options->faults.fail_percent + options->faults.close_percent > 100)
	{
		fputs("iotdata-emulator: --fail-percent and --close-percent are more than 100 together\n",
			  stderr);
		give_up();
	}
	if (inet_pton(AF_INET, options->address, &address) != 1 &&
		inet_pton(AF_INET6, options->address, &address) != 1)
	{
		fprintf(stderr, "iotdata-emulator: --listen: \"%s\" is not an IP address\n",
				options->address);
		give_up();
	}
}

void
options_parse(Options *options, int argc, char **argv)
{
	int			option,
				index;

	set_defaults(options);
	while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1)
		set_option(options, option, option == '?' ? "" : long_options[index].name, optarg);
	check(options, argc, argv, optind);
}

void
options_free(Options *options)
{
	free(options->things);
}
