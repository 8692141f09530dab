/*
 * error_report.h
 *		Why a call failed, in words.
 */
#ifndef IOTDATA_ANSWER_ERROR_REPORT_H
#define IOTDATA_ANSWER_ERROR_REPORT_H

#include "postgres.h"

#include "call/call.h"
#include "error/failure.h"

/* The answer's request id, fit for a message; NULL when it has none. */
extern const char *iotdata_call_request_id(const IotDataCall *call);

/*
 * Of an answer with status 404: does the service itself say that there is
 * nothing (ResourceNotFoundException)?
 */
extern bool iotdata_error_is_not_found(const IotDataCall *call);

/*
 * Describe what went wrong with a call that has ended without a good answer:
 * the SQLSTATE is IO and the HTTP status for what the service says, IO001,
 * IO006 or IO007 for the network, and PostgreSQL's own for everything else. No secret is in any of the texts.
 * They are allocated in the current memory context.
 */
extern void iotdata_error_report(const IotDataCall *call,
								 IotDataFailure *failure);

#endif							/* IOTDATA_ANSWER_ERROR_REPORT_H */
