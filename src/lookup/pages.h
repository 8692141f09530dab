/*
 * pages.h
 *		A list that comes in pages: which one is next.
 */
#ifndef IOTDATA_LOOKUP_PAGES_H
#define IOTDATA_LOOKUP_PAGES_H

#include "postgres.h"

#include "answer/answer.h"
#include "request/request.h"

typedef struct IotDataPages IotDataPages;

/*
 * A list that begins with "request", which must live as long; owned by the
 * current memory context.
 */
extern IotDataPages *iotdata_pages_create(const IotDataRequest *request);

/*
 * The items of a page. Raises IO007 when the page is not what it must be: no
 * list, one that is gone although it is not the first, or one with the token
 * of a page that was before.
 */
extern IotDataJsonValue iotdata_pages_take(IotDataPages *pages,
										   const IotDataAnswer *answer);

/*
 * The request for the next page, in the current memory context: the first one
 * before any page was taken; NULL after the last.
 */
extern const IotDataRequest *iotdata_pages_next(const IotDataPages *pages);

#endif							/* IOTDATA_LOOKUP_PAGES_H */
