/*
 * http.h
 *	  HTTP and HTTPS, by libmicrohttpd inside our loop: whole requests in,
 *	  answers out, at once or later.
 */
#ifndef EMULATOR_HTTP_H
#define EMULATOR_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/memory.h"
#include "http/fault.h"
#include "http/signature_stages.h"

/* Bytes of a body that are kept; all are hashed. */
#define HTTP_MAX_KEPT_BODY (256 * 1024)

#define HTTP_MAX_HEADERS 64

struct MHD_Connection;
struct evp_md_ctx_st;

typedef struct HttpRequest
{
	struct MHD_Connection *connection;
	char	   *target;			/* path and query, nothing decoded */
	const char *method;
	char		id[37];			/* x-amzn-RequestId */
	SignatureHeader headers[HTTP_MAX_HEADERS];
	size_t		header_count;
	Buffer		body;			/* its first HTTP_MAX_KEPT_BODY bytes */
	size_t		body_length;	/* all of it */
	uint8_t		body_hash[SIGNATURE_HASH_SIZE];

	/* the handler's own */
	Fault		fault;			/* that is still to come */
	const char *retry_after;	/* the header x-amz-retry-after; NULL: none */

	/* http.c's own */
	struct evp_md_ctx_st *hash;
	bool		complete;
	bool		suspended;
	int64_t		due;			/* loop_exact_time() of its answer; 0: at once */
	LoopTimer	timer;			/* waits for that, with the answer there */
	struct HttpRequest *next;	/* that waits so, and what points at it */
	struct HttpRequest **link;
	int			status;			/* 0: not answered yet */
	const char *error;
	Buffer		answer;
} HttpRequest;

/*
 * Called once for each whole request; must call http_answer or http_close
 * once, before it returns or later.
 */
typedef void (*HttpHandler) (HttpRequest *request);

/* certificate and key are PEM texts, NULL for plain HTTP; fd is listening. */
extern bool http_start(int fd, const char *certificate, const char *key,
					   HttpHandler handler);

/* Every request must have been answered. */
extern void http_stop(void);

/* NULL: not sent. */
extern const char *http_header(const HttpRequest *request, const char *name);

/* error is the name of an exception, NULL for a success; body is emptied. */
extern void http_answer(HttpRequest *request, int status, const char *error, Buffer *body);

/* The connection is closed without an answer. */
extern void http_close(HttpRequest *request);

#endif							/* EMULATOR_HTTP_H */
