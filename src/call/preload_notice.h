/*
 * preload_notice.h
 *		What it means that the library is not preloaded, said where it matters.
 */
#ifndef IOTDATA_CALL_PRELOAD_NOTICE_H
#define IOTDATA_CALL_PRELOAD_NOTICE_H

#include "postgres.h"

/*
 * Called where sessions would be better off together: a cached answer
 * is wanted, or the service has throttled. Once in a session that gives a
 * NOTICE, if the library is not preloaded.
 */
extern void iotdata_preload_notice(void);

#endif							/* IOTDATA_CALL_PRELOAD_NOTICE_H */
