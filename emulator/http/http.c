/*
 * http.c
 *	  HTTP and HTTPS, by libmicrohttpd inside our loop: whole requests in,
 *	  answers out, at once or later.
 *
 * Each of at most two daemons has an epoll descriptor of its own, which our
 * loop watches; MHD_run() does what is to be done.  libmicrohttpd also has
 * work left that no descriptor announces, so it is asked before each wait.
 *
 * A request lives from its first line (begin_request) until libmicrohttpd
 * reports its completion (end_request).  When the handler has not answered by
 * the time it returns, the connection is suspended; http_answer() resumes it,
 * and libmicrohttpd calls handle_access() again, which then sends the answer.
 * While suspended a request cannot complete, so whoever is to answer it may
 * keep the pointer.  An answer that comes too early by fault.c's delay waits
 * in the request, which is suspended until its timer expires.
 *
 * The target is kept as it was sent: libmicrohttpd's own decoding would make
 * one path of /a%2Fb and /a/b, which differ, and differ in their signature.
 */
#include "http/http.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"

#define MAX_DAEMONS 2
#define CONNECTION_LIMIT 20000
#define CONNECTION_MEMORY (40 * 1024)

/* A status of ours: no answer, the connection is closed. */
#define CLOSED (-1)

/* A longer body is not read to its end. */
#define MAX_BODY (16 * 1024 * 1024)

typedef struct HttpDaemon
{
	LoopSource	source;			/* libmicrohttpd's epoll descriptor */
	struct MHD_Daemon *daemon;
} HttpDaemon;

static HttpDaemon daemons[MAX_DAEMONS];
static int	daemon_count;
static HttpHandler request_handler;
static const EVP_MD *sha256;
static bool has_resumed;		/* since the daemons last ran */
static HttpRequest *delayed;	/* those whose timer is set */

/* What the log ends with. */
static struct
{
	uint64_t	requests;
	uint64_t	throttled;
	uint64_t	failed;
	uint64_t	closed;
	unsigned	at_once;		/* whole, and their answers not sent yet */
	unsigned	most_at_once;
}			summary;

/* ------ requests ------ */

static void *
begin_request(void *closure, const char *target, struct MHD_Connection *connection)
{
	HttpRequest *request = memory_alloc(sizeof(HttpRequest));

	(void) closure;
	request->connection = connection;
	request->target = memory_copy_string(target);
	text_make_uuid(request->id);
	return request;
}

static void
end_request(void *closure, struct MHD_Connection *connection, void **state,
			enum MHD_RequestTerminationCode code)
{
	HttpRequest *request = *state;

	(void) closure;
	(void) connection;
	(void) code;
	if (request == NULL)
		return;
	if (request->complete)
		summary.at_once--;
	free(request->target);
	EVP_MD_CTX_free(request->hash);
	buffer_free(&request->body);
	buffer_free(&request->answer);
	free(request);
	*state = NULL;
}

const char *
http_header(const HttpRequest *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}

static enum MHD_Result
take_header(void *closure, enum MHD_ValueKind kind, const char *name, const char *value)
{
	HttpRequest *request = closure;
	SignatureHeader *header;

	(void) kind;
	if (request->header_count == HTTP_MAX_HEADERS)
		return MHD_NO;
	header = &request->headers[request->header_count++];
	header->name = name;
	header->value = value != NULL ? value : "";
	return MHD_YES;
}

static bool
take_body(HttpRequest *request, const char *data, size_t length)
{
	size_t		room = HTTP_MAX_KEPT_BODY - request->body.length;

	if (request->hash == NULL)
	{
		request->hash = EVP_MD_CTX_new();
		EVP_DigestInit_ex(request->hash, sha256, NULL);
	}
	EVP_DigestUpdate(request->hash, data, length);
	buffer_append(&request->body, data, length < room ? length : room);
	request->body_length += length;
	return request->body_length <= MAX_BODY;
}

static void
finish_body(HttpRequest *request)
{
	static const uint8_t hash_of_nothing[SIGNATURE_HASH_SIZE] = {
		0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
		0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55
	};

	if (request->body_length == 0)
		memcpy(request->body_hash, hash_of_nothing, SIGNATURE_HASH_SIZE);
	else
		EVP_DigestFinal_ex(request->hash, request->body_hash, NULL);
}

/* ------ answers ------ */

static void
note_answer(const HttpRequest *request)
{
	char		status[16] = "closed";

	summary.throttled += request->status == 429;
	summary.failed += request->status >= 500;
	summary.closed += request->status == CLOSED;
	if (!log_enabled())
		return;
	if (request->status != CLOSED)
		snprintf(status, sizeof(status), "%d", request->status);
	log_event("http %s %.*s %s %s", log_text(request->method),
			  (int) strcspn(request->target, "?"), log_text(request->target), status,
			  request->id);
}

/* By our clock; libmicrohttpd leaves a date that is there alone. */
static void
add_date(struct MHD_Response *response)
{
	static time_t last;
	static char text[64];
	time_t		now = (time_t) (loop_wall_clock() / 1000);

	if (now != last)
	{
		struct tm	time;

		gmtime_r(&now, &time);
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &time);
		last = now;
	}
	MHD_add_response_header(response, "Date", text);
}

static enum MHD_Result
send_answer(HttpRequest *request)
{
	struct MHD_Response *response;
	enum MHD_Result result;
	bool		has_body = request->answer.length > 0;

	note_answer(request);
	if (request->status == CLOSED)
		return MHD_NO;
	response = MHD_create_response_from_buffer(request->answer.length, request->answer.data,
											   MHD_RESPMEM_MUST_FREE);
	if (response == NULL)
		return MHD_NO;
	memset(&request->answer, 0, sizeof(request->answer));
	if (has_body)
		MHD_add_response_header(response, "Content-Type", "application/json");
	MHD_add_response_header(response, "x-amzn-RequestId", request->id);
	if (request->error != NULL)
		MHD_add_response_header(response, "x-amzn-ErrorType", request->error);
	if (request->retry_after != NULL)
		MHD_add_response_header(response, "x-amz-retry-after", request->retry_after);
	add_date(response);
	result = MHD_queue_response(request->connection, (unsigned) request->status, response);
	MHD_destroy_response(response);
	return result;
}

static void
resume(HttpRequest *request)
{
	request->suspended = false;
	request->due = 0;
	has_resumed = true;
	MHD_resume_connection(request->connection);
}

static void
end_delay(HttpRequest *request)
{
	*request->link = request->next;
	if (request->next != NULL)
		request->next->link = request->link;
	loop_cancel_timer(&request->timer);
	resume(request);
}

static void
handle_timer(LoopTimer *timer)
{
	end_delay((HttpRequest *) ((char *) timer - offsetof(HttpRequest, timer)));
}

/* The answer of a suspended request is there. */
static void
resume_when_due(HttpRequest *request)
{
	if (request->due == 0)
	{
		resume(request);
		return;
	}
	request->timer.expired = handle_timer;
	loop_set_exact_timer(&request->timer, request->due);
	request->next = delayed;
	request->link = &delayed;
	if (delayed != NULL)
		delayed->link = &request->next;
	delayed = request;
}

void
http_answer(HttpRequest *request, int status, const char *error, Buffer *body)
{
	buffer_reserve(body, 1);
	request->status = status;
	request->error = error;
	request->answer = *body;
	memset(body, 0, sizeof(*body));
	if (request->suspended)
		resume_when_due(request);
}

void
http_close(HttpRequest *request)
{
	request->status = CLOSED;
	if (request->suspended)
		resume_when_due(request);
}

static void
begin_answer(HttpRequest *request)
{
	int64_t		delay = fault_delay();

	request->complete = true;
	if (delay > 0)
		request->due = loop_exact_time() + delay;
	summary.requests++;
	if (++summary.at_once > summary.most_at_once)
		summary.most_at_once = summary.at_once;
	finish_body(request);
	request_handler(request);
}

static enum MHD_Result
handle_access(void *closure, struct MHD_Connection *connection, const char *url,
			  const char *method, const char *version, const char *data, size_t *length,
			  void **state)
{
	HttpRequest *request = *state;

	(void) closure;
	(void) url;
	(void) version;
	if (request->method == NULL)
	{
		/* The header is there; whether a body follows is still to be seen. */
		request->method = method;
		MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, request);
		return request->header_count < HTTP_MAX_HEADERS ? MHD_YES : MHD_NO;
	}
	if (*length > 0)
	{
		bool		small = take_body(request, data, *length);

		*length = 0;
		return small ? MHD_YES : MHD_NO;
	}
	if (!request->complete)
		begin_answer(request);
	if (request->status != 0 && request->due == 0)
		return send_answer(request);
	request->suspended = true;
	MHD_suspend_connection(connection);
	if (request->status != 0)
		resume_when_due(request);
	return MHD_YES;
}

/* ------ daemons ------ */

static void
log_connection(void *closure, struct MHD_Connection *connection, void **state,
			   enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;
	char		host[INET6_ADDRSTRLEN] = "?";
	int			port = 0;

	(void) closure;
	(void) state;
	if (!log_enabled())
		return;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (info != NULL && info->client_addr->sa_family == AF_INET6)
	{
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *) info->client_addr;

		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		port = ntohs(v6->sin6_port);
	}
	else if (info != NULL)
	{
		const struct sockaddr_in *v4 = (const struct sockaddr_in *) info->client_addr;

		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		port = ntohs(v4->sin_port);
	}
	log_event("http connection %s %s:%d",
			  code == MHD_CONNECTION_NOTIFY_STARTED ? "opened" : "closed", host, port);
}

static size_t
keep_encoded(void *closure, struct MHD_Connection *connection, char *text)
{
	(void) closure;
	(void) connection;
	return strlen(text);
}

static void
run_daemon(LoopSource *source, uint32_t events)
{
	(void) events;
	MHD_run(((HttpDaemon *) source)->daemon);
}

/* The loop's prepare hook. */
static int
run_daemons(void)
{
	bool		run_all = has_resumed;
	int			wait = -1;

	has_resumed = false;
	for (int i = 0; i < daemon_count; i++)
	{
		MHD_UNSIGNED_LONG_LONG timeout;

		/* No descriptor says that a connection was resumed. */
		if (run_all)
			MHD_run(daemons[i].daemon);
		if (MHD_get_timeout(daemons[i].daemon, &timeout) != MHD_YES)
			continue;
		if (timeout == 0)
			MHD_run(daemons[i].daemon);
		if (timeout > 1000)
			timeout = 1000;
		if (wait < 0 || (int) timeout < wait)
			wait = (int) timeout;
	}
	return wait;
}

bool
http_start(int fd, const char *certificate, const char *key, HttpHandler handler)
{
	HttpDaemon *daemon = &daemons[daemon_count];
	unsigned	flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *) (uintptr_t) certificate},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *) (uintptr_t) key},
		{MHD_OPTION_END, 0, NULL}
	};
	const union MHD_DaemonInfo *info;

	if (certificate != NULL)
		flags |= MHD_USE_TLS;
	else
		tls[0].option = MHD_OPTION_END;
	if (sha256 == NULL)
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	request_handler = handler;
	daemon->daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle_access, NULL,
									  MHD_OPTION_LISTEN_SOCKET, (MHD_socket) fd,
									  MHD_OPTION_URI_LOG_CALLBACK, begin_request, NULL,
									  MHD_OPTION_UNESCAPE_CALLBACK, keep_encoded, NULL,
									  MHD_OPTION_NOTIFY_COMPLETED, end_request, NULL,
									  MHD_OPTION_NOTIFY_CONNECTION, log_connection, NULL,
									  MHD_OPTION_CONNECTION_LIMIT, (unsigned) CONNECTION_LIMIT,
									  MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) CONNECTION_MEMORY,
									  MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
									  MHD_OPTION_ARRAY, tls,
									  MHD_OPTION_END);
	if (daemon->daemon == NULL)
		return false;
	daemon_count++;
	info = MHD_get_daemon_info(daemon->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	loop_init_source(&daemon->source, info->epoll_fd, run_daemon);
	loop_set_prepare(run_daemons);
	return loop_add(&daemon->source, EPOLLIN);
}

static void
log_summary(void)
{
	log_event("http summary requests=%" PRIu64 " throttled=%" PRIu64 " failed=%" PRIu64
			  " closed=%" PRIu64 " most-at-once=%u",
			  summary.requests, summary.throttled, summary.failed, summary.closed,
			  summary.most_at_once);
}

void
http_stop(void)
{
	while (delayed != NULL)
		end_delay(delayed);
	for (int i = 0; i < daemon_count; i++)
	{
		/* Once, so that what was just answered is resumed and written. */
		MHD_run(daemons[i].daemon);
		MHD_run(daemons[i].daemon);
		loop_remove(&daemons[i].source);
		MHD_stop_daemon(daemons[i].daemon);
	}
	daemon_count = 0;
	log_summary();
	EVP_MD_free((EVP_MD *) (uintptr_t) sha256);
	sha256 = NULL;
}
