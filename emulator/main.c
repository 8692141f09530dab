/*
 * main.c
 *	  iotdata-emulator: a local AWS IoT endpoint.  Puts the parts together, and
 *	  takes them apart at SIGTERM or SIGINT.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api/api.h"
#include "api/quota.h"
#include "base/log.h"
#include "base/loop.h"
#include "broker/retained.h"
#include "broker/session.h"
#include "http/fault.h"
#include "http/http.h"
#include "mqtt/listener.h"
#include "mqtt/mqtt_client.h"
#include "mqtt/mqtt_protocol.h"
#include "options.h"

static void
fail(const char *what, const char *which, const char *why)
{
	fprintf(stderr, "iotdata-emulator: %s %s: %s\n", what, which, why);
	exit(1);
}

/* ------ signals ------ */

static void
handle_signal(LoopSource *source, uint32_t events)
{
	(void) source;
	(void) events;
	loop_stop();
}

static void
watch_signals(LoopSource *source)
{
	sigset_t	signals;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	loop_init_source(source, signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC),
					 handle_signal);
	if (source->fd < 0 || !loop_add(source, EPOLLIN))
		fail("cannot watch", "signals", strerror(errno));
}

/* As many connections as the system lets us have. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
	{
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* ------ ports ------ */

static int
open_port(const Options *options, const char *name, int port)
{
	int			fd = listener_open(options->address, port);
	char		where[80];

	if (fd < 0)
	{
		snprintf(where, sizeof(where), "%s port %d of %s", name, port, options->address);
		fail("cannot listen on", where, strerror(errno));
	}
	listener_announce(name, fd);
	return fd;
}

static char *
read_file(const char *path)
{
	Buffer		content = {0};
	FILE	   *file = fopen(path, "re");
	size_t		length;

	if (file == NULL)
		fail("cannot read", path, strerror(errno));
	do
	{
		buffer_reserve(&content, 4096);
		length = fread(content.data + content.length, 1, 4096, file);
		content.length += length;
	} while (length > 0);
	fclose(file);
	buffer_text(&content);
	return (char *) content.data;
}

static SSL_CTX *
make_tls(const Options *options)
{
	SSL_CTX    *tls = SSL_CTX_new(TLS_server_method());

	if (tls == NULL)
		fail("cannot use", "TLS", ERR_reason_error_string(ERR_get_error()));
	if (SSL_CTX_use_certificate_chain_file(tls, options->certificate) != 1)
		fail("cannot use certificate", options->certificate,
			 ERR_reason_error_string(ERR_get_error()));
	if (SSL_CTX_use_PrivateKey_file(tls, options->key, SSL_FILETYPE_PEM) != 1)
		fail("cannot use key", options->key, ERR_reason_error_string(ERR_get_error()));
	SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
	SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return tls;
}

static void
start_http(int fd, const char *name, const char *certificate, const char *key)
{
	if (!http_start(fd, certificate, key, api_handle))
		fail("cannot start", name, "the server library refuses");
}

static SSL_CTX *
open_ports(const Options *options)
{
	SSL_CTX    *tls = options->certificate != NULL ? make_tls(options) : NULL;
	char	   *certificate = NULL,
			   *key = NULL;

	start_http(open_port(options, "http", options->http_port), "http", NULL, NULL);
	if (tls != NULL)
	{
		certificate = read_file(options->certificate);
		key = read_file(options->key);
		start_http(open_port(options, "https", options->https_port), "https", certificate, key);
		free(certificate);
		OPENSSL_cleanse(key, strlen(key));
		free(key);
	}
	listener_start_mqtt(open_port(options, "mqtt", options->mqtt_port), NULL);
	if (tls != NULL)
		listener_start_mqtt(open_port(options, "mqtts", options->mqtts_port), tls);
	return tls;
}

/* ------ beginning and end ------ */

static void
init_parts(const Options *options, ApiOptions *api, Quota *quota)
{
	if (options->log != NULL && !log_open(options->log))
		fail("cannot write log", options->log, strerror(errno));
	api->authenticate = options->authenticate;
	api->keys.access_key_id = options->access_key_id;
	api->keys.secret_access_key = options->secret_access_key;
	api->keys.session_token = options->session_token;
	api->keys.region = options->region;
	api->allow_socket_information = options->socket_information;
	api->things = options->things;
	api->thing_count = options->thing_count;
	api->quota = quota;
	api->retry_after = options->retry_after;
	api_init(api);
	loop_set_wall_clock_offset(options->clock_offset);
	quota_init(quota, &options->rates, loop_now());
	fault_init(&options->faults);
	session_set_retention(options->keep_connection_data);
	mqtt_protocol_init((size_t) options->max_subscriptions);
}

/*
 * In the reverse order of the beginning.  Sessions go before HTTP: their end
 * answers the requests that still wait for a client.
 */
static void
stop_parts(SSL_CTX *tls)
{
	listener_stop();
	mqtt_client_disconnect_all();
	session_free_all();
	http_stop();
	signature_free();
	mqtt_connection_close_all();
	retained_free_all();
	SSL_CTX_free(tls);
	log_close();
}

int
main(int argc, char **argv)
{
	Options		options;
	ApiOptions	api;
	Quota		quota;
	LoopSource	signals;
	SSL_CTX    *tls;

	options_parse(&options, argc, argv);
	loop_init();
	raise_descriptor_limit();
	watch_signals(&signals);
	init_parts(&options, &api, &quota);
	tls = open_ports(&options);
	puts("ready");
	fflush(stdout);

	loop_run();

	stop_parts(tls);
	quota_free(&quota);
	loop_remove(&signals);
	close(signals.fd);
	loop_free();
	options_free(&options);
	return 0;
}
