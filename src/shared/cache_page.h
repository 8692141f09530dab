/*
 * cache_page.h
 *		A page of the response cache: entries found by their key, and room made
 *		for new ones.
 *
 * It is plain memory that may be mapped anywhere, and needs no PostgreSQL
 * header, so that it is tested without a server. Who uses it keeps others out
 * while it stores or resets; any number may find and describe at the same time.
 */
#ifndef IOTDATA_SHARED_CACHE_PAGE_H
#define IOTDATA_SHARED_CACHE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Of a page, which is aligned for a uint64_t. It is a line of the processor's
 * cache more than a power of two: what is read first of each page would else
 * compete for few places in there.
 */
#define IOTDATA_CACHE_PAGE_SIZE (16384 + 64)

typedef struct IotDataCachePage IotDataCachePage;

/* a SHA-256 */
#define IOTDATA_CACHE_SCOPE_SIZE 32

/*
 * Whose answer to what. "scope" is a hash over endpoint, region and
 * credentials, so that nobody gets what their own credentials were not told.
 */
typedef struct IotDataCacheKey
{
	uint64_t	hash;			/* over both */
	uint64_t	place;			/* without the query: all answers about a path
								 * are in one page */
	const uint8_t *scope;		/* IOTDATA_CACHE_SCOPE_SIZE bytes */
	const char *request;		/* path and query */
	size_t		length;			/* of it */

	/*
	 * What of the request is stored: all of it (template 0), or the path's
	 * label alone, with the number of what is around it.
	 */
	unsigned int template;
	const char *label;			/* within the request */
	size_t		label_length;
} IotDataCacheKey;

/* of key.template */
#define IOTDATA_CACHE_MAX_TEMPLATE 15

typedef struct IotDataCachedAnswer
{
	int64_t		observed_at;	/* when it came, as a TimestampTz */
	bool		not_found;		/* it was a 404: no bytes */
	const char *bytes;
	size_t		length;
} IotDataCachedAnswer;

/* Sums over pages. */
typedef struct IotDataCacheUse
{
	uint64_t	entries;
	uint64_t	bytes;			/* that they take, with their keys */
	int64_t		oldest;			/* observed_at; INT64_MAX: no entry */
} IotDataCacheUse;

/* Make an empty page of the memory. */
extern void iotdata_cache_page_init(IotDataCachePage *page);

/*
 * The answer of a key, or false. "answer->bytes" then points into the page.
 * That the entry was wanted is remembered.
 */
extern bool iotdata_cache_page_find(IotDataCachePage *page,
									const IotDataCacheKey *key,
									IotDataCachedAnswer *answer);

/*
 * Store an answer in the place of the key's older one. Where there is no room,
 * entries that were observed before "useful" or after "now" go first. What
 * would take more than a quarter of the page is not stored, and the key's older
 * answer is then gone, too. Returns how many others had to make room.
 */
extern int	iotdata_cache_page_store(IotDataCachePage *page,
									 const IotDataCacheKey *key,
									 const IotDataCachedAnswer *answer,
									 int64_t useful, int64_t now);

/*
 * Drop the entries of a path, whatever their query, and whose template is one of
 * "templates" (a bit each; bit 0: stored with the whole request). "path" is a key
 * whose request is the path, with its label.
 */
extern void iotdata_cache_page_drop(IotDataCachePage *page, const IotDataCacheKey *path,
									uint32_t templates);

/* Drop all entries. */
extern void iotdata_cache_page_reset(IotDataCachePage *page);

/* Add the page to "use". */
extern void iotdata_cache_page_describe(const IotDataCachePage *page,
										IotDataCacheUse *use);

#endif							/* IOTDATA_SHARED_CACHE_PAGE_H */
